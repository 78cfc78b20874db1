// SPDX-License-Identifier: BSD-2-Clause
// Results on the volume that the loader was started from. Before a run a record of where its lines will be is
// written there; the next start takes the record away, and makes a file of the lines if they outlasted the reset.

#include "boot/console.h"
#include "boot/loader.h"
#include "boot/results_files.h"
#include "boot/status.h"
#include "lib/kept.h"
#include "lib/string.h"

#define PAGE 4096ull
#define BLOCK_LAST (512 * MIB - 1) // firmware begins at the top of what is below 4 GiB
#define ENTRIES_MAX 65536          // of a directory
#define READ_WRITE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)
#define REMEDY "take JSON from a serial port (json=, as a rule COM2)"

static CHAR16 folder_name[] = u"\\EFI\\onebell\\results";
static CHAR16 pending_name[] = u"pending";

static EFI_STATUS put_file(EFI_FILE_HANDLE folder, CHAR16 *name, const void *bytes, UINTN count)
{
    EFI_FILE_HANDLE file;
    UINTN written = count;
    EFI_STATUS status = folder->Open(folder, &file, name, READ_WRITE | EFI_FILE_MODE_CREATE, 0);
    if (EFI_ERROR(status))
        return status;
    status = file->Write(file, &written, (void *)bytes);
    if (!EFI_ERROR(status))
        status = written == count ? file->Flush(file) : EFI_VOLUME_FULL;
    if (EFI_ERROR(status))
        file->Delete(file);
    else
        file->Close(file);
    return status;
}

// ---- the run before ----

static EFI_STATUS find_highest(EFI_FILE_HANDLE folder, unsigned *highest)
{
    static uint64_t entry[128]; // EFI_FILE_INFO, with a name of up to 255 characters
    const EFI_FILE_INFO *info = (const EFI_FILE_INFO *)entry;
    *highest = 0;
    for (unsigned i = 0; i < ENTRIES_MAX; i++) {
        UINTN bytes = sizeof(entry);
        EFI_STATUS status = folder->Read(folder, &bytes, entry);
        if (EFI_ERROR(status) || bytes == 0)
            return status;
        if (bytes > offsetof(EFI_FILE_INFO, FileName))
            results_name_heed((const uint16_t *)info->FileName,
                              (bytes - offsetof(EFI_FILE_INFO, FileName)) / sizeof(CHAR16),
                              highest);
    }
    return EFI_VOLUME_CORRUPTED;
}

static void write_results(EFI_FILE_HANDLE folder, const struct kept_block *block, size_t bytes)
{
    unsigned highest;
    uint16_t name[RESULTS_NAME_CHARS];
    EFI_STATUS status = find_highest(folder, &highest);
    if (!EFI_ERROR(status))
        status = results_name_next(highest, name)
                     ? put_file(folder, (CHAR16 *)name, block->text, bytes)
                     : EFI_VOLUME_FULL;
    if (EFI_ERROR(status))
        console_line("Onebell: the results of the run before can't be written to "
                     "\\EFI\\onebell\\results (%s): check the volume, and run again",
                     status_name(status));
    else
        console_line("Onebell: the results of the run before are in "
                     "\\EFI\\onebell\\results\\%04u.jsonl",
                     highest + 1);
}

static void tell_lost(const char *why)
{
    console_line(
        "Onebell: the results of the run before are lost, for %s: this machine clears memory "
        "at a reset, or was switched off; " REMEDY,
        why);
}

static void take_results(EFI_FILE_HANDLE folder, const struct results_pending *r)
{
    const struct kept_block *block = (const struct kept_block *)r->base;
    size_t bytes;
    enum kept_fault fault = kept_check(block, r->nonce, &bytes);
    if (fault == KEPT_GONE)
        tell_lost("memory doesn't have them");
    else if (fault == KEPT_DAMAGED)
        tell_lost("memory has only part of them");
    else if (bytes == 0)
        console_line("Onebell: the run before left no results");
    else
        write_results(folder, block, bytes);
}

// Only memory that is there and free can be allocated at its place; firmware leaves what is in it.
static void claim_results(struct loader *l, EFI_FILE_HANDLE folder, const struct results_pending *r)
{
    EFI_PHYSICAL_ADDRESS at = r->base;
    EFI_STATUS status = l->services->AllocatePages(AllocateAddress, (EFI_MEMORY_TYPE)MEMORY_BRIEF,
                                                   KEPT_BYTES / PAGE, &at);
    if (EFI_ERROR(status)) {
        tell_lost("firmware uses that memory");
        return;
    }
    take_results(folder, r);
    l->services->FreePages(at, KEPT_BYTES / PAGE);
}

// The record is taken away first: a start that fails here doesn't fail again.
static bool take_pending(EFI_FILE_HANDLE folder, struct results_pending *r)
{
    EFI_FILE_HANDLE file;
    UINTN bytes = sizeof(*r);
    if (EFI_ERROR(folder->Open(folder, &file, pending_name, READ_WRITE, 0)))
        return false;
    EFI_STATUS status = file->Read(file, &bytes, r);
    EFI_STATUS deleted = file->Delete(file); // a failure is a warning
    if (!EFI_ERROR(status) && deleted == EFI_SUCCESS && results_pending_is_good(r, bytes))
        return true;
    console_line(
        "Onebell: \\EFI\\onebell\\results\\pending is no record of a run's results, or can't "
        "be taken away: delete it");
    return false;
}

void results_collect(struct loader *l)
{
    EFI_FILE_HANDLE root, folder;
    struct results_pending pending;
    if (EFI_ERROR(volume_open(l, &root)) || !root)
        return;
    if (!EFI_ERROR(root->Open(root, &folder, folder_name, READ_WRITE, 0))) {
        l->ran_before = take_pending(folder, &pending);
        if (l->ran_before)
            claim_results(l, folder, &pending);
        folder->Close(folder);
    }
    root->Close(root);
}

// ---- the run that begins ----

static EFI_STATUS make_folder(EFI_FILE_HANDLE root, CHAR16 *name, EFI_FILE_HANDLE *folder)
{
    return root->Open(root, folder, name, READ_WRITE | EFI_FILE_MODE_CREATE, EFI_FILE_DIRECTORY);
}

static EFI_STATUS put_pending(EFI_FILE_HANDLE root, const struct results_pending *r)
{
    static CHAR16 parent_name[] = u"\\EFI\\onebell";
    EFI_FILE_HANDLE folder;
    EFI_STATUS status = make_folder(root, parent_name, &folder);
    if (EFI_ERROR(status))
        return status;
    folder->Close(folder);
    status = make_folder(root, folder_name, &folder);
    if (EFI_ERROR(status))
        return status;
    status = put_file(folder, pending_name, r, sizeof(*r));
    folder->Close(folder);
    return status;
}

static EFI_STATUS note_block(struct loader *l, uint64_t base)
{
    EFI_FILE_HANDLE root;
    struct results_pending pending;
    EFI_STATUS status = volume_open(l, &root);
    if (EFI_ERROR(status))
        return status;
    if (!root)
        return EFI_UNSUPPORTED;
    results_pending_make(&pending, base, l->tsc_start);
    status = put_pending(root, &pending);
    root->Close(root);
    return status;
}

// The time stamp counter is the nonce: what an earlier run left at the same place has another one.
bool results_prepare(struct loader *l, struct problem *p)
{
    uint64_t base;
    if (!results_wanted(l->handoff->cmdline))
        return true;
    if (!memory_take(l, MEMORY_KEPT, KEPT_BYTES, BLOCK_LAST, "results", &base, p) &&
        !memory_take(l, MEMORY_KEPT, KEPT_BYTES, MEMORY_ANYWHERE, "results", &base, p))
        return false;
    EFI_STATUS status = note_block(l, base);
    if (EFI_ERROR(status)) {
        console_line(
            "Onebell: results=1: the volume that Onebell was started from can't be written to "
            "(%s), so results aren't kept: " REMEDY,
            status_name(status));
        return true;
    }
    kept_begin((struct kept_block *)base, l->tsc_start);
    l->handoff->kept_base = base;
    return true;
}
