// SPDX-License-Identifier: BSD-2-Clause
// Programs for domains: the one in this image, and \EFI\onebell\NAME.elf on its volume. Without one the kernel
// starts all the same, and says what is missing.

#include "boot/loader.h"
#include "boot/program_names.h"
#include "lib/string.h"

static const char folder[] = HANDOFF_PROGRAM_FOLDER;

static void note(struct handoff_program *f, enum handoff_program_state state, uint64_t value)
{
    f->state = state;
    f->value = value;
}

// Fills in where it will be; false where there is no memory for it.
static bool make_room(struct loader *l, struct handoff_program *f, uint64_t bytes)
{
    struct problem p;
    uint64_t base;
    if (!memory_take(l, MEMORY_KEPT, bytes, MEMORY_ANYWHERE, "a program", &base, &p)) {
        note(f, HANDOFF_PROGRAM_NO_MEMORY, bytes);
        return false;
    }
    f->base = base;
    f->bytes = bytes;
    return true;
}

static void take_own(struct loader *l, struct handoff_program *f)
{
    size_t bytes = (size_t)(program_blob_end - program_blob);
    if (!bytes)
        note(f, HANDOFF_PROGRAM_NOT_FOUND, 0);
    else if (make_room(l, f, bytes))
        memcpy((void *)f->base, program_blob, bytes);
}

// UEFI 2.10, 13.5.11: the position of all ones is the end.
static EFI_STATUS file_bytes(EFI_FILE_HANDLE file, uint64_t *bytes)
{
    EFI_STATUS status = file->SetPosition(file, ~0ull);
    if (!EFI_ERROR(status))
        status = file->GetPosition(file, bytes);
    return EFI_ERROR(status) ? status : file->SetPosition(file, 0);
}

static void read_file(struct loader *l, EFI_FILE_HANDLE file, struct handoff_program *f)
{
    uint64_t bytes = 0;
    EFI_STATUS status = file_bytes(file, &bytes);
    if (EFI_ERROR(status)) {
        note(f, HANDOFF_PROGRAM_UNREADABLE, status);
        return;
    }
    if (!bytes) // the kernel tells of its size
        return;
    if (bytes > HANDOFF_PROGRAM_BYTES) {
        note(f, HANDOFF_PROGRAM_TOO_LONG, bytes);
        return;
    }
    if (!make_room(l, f, bytes))
        return;
    UINTN count = bytes;
    status = file->Read(file, &count, (void *)f->base);
    if (EFI_ERROR(status) || count != bytes)
        note(f, HANDOFF_PROGRAM_UNREADABLE, status);
}

static void make_path(const char *name, CHAR16 path[sizeof(folder) + HANDOFF_PROGRAM_NAME + 4])
{
    for (const char *at = folder; *at; at++)
        *path++ = (CHAR16)*at;
    for (const char *at = name; *at; at++)
        *path++ = (CHAR16)*at;
    for (const char *at = ".elf"; *at; at++)
        *path++ = (CHAR16)*at;
    *path = 0;
}

static void take_file(struct loader *l, EFI_FILE_HANDLE root, struct handoff_program *f)
{
    CHAR16 path[sizeof(folder) + HANDOFF_PROGRAM_NAME + 4];
    EFI_FILE_HANDLE file;
    make_path(f->name, path);
    EFI_STATUS status = root->Open(root, &file, path, EFI_FILE_MODE_READ, 0);
    if (EFI_ERROR(status)) {
        note(f, status == EFI_NOT_FOUND ? HANDOFF_PROGRAM_NOT_FOUND : HANDOFF_PROGRAM_UNREADABLE,
             status);
        return;
    }
    read_file(l, file, f);
    file->Close(file);
}

static void find_file(struct loader *l, struct handoff_program *f)
{
    EFI_FILE_HANDLE root;
    EFI_STATUS status = volume_open(l, &root);
    if (EFI_ERROR(status)) {
        note(f, HANDOFF_PROGRAM_UNREADABLE, status);
    } else if (!root) {
        note(f, HANDOFF_PROGRAM_NO_VOLUME, 0);
    } else {
        take_file(l, root, f);
        root->Close(root);
    }
}

static bool is_listed(const struct handoff *h, const char *name)
{
    for (unsigned i = 0; i < h->programs; i++)
        if (strcmp(h->program[i].name, name) == 0)
            return true;
    return false;
}

void programs_load(struct loader *l)
{
    struct handoff *h = l->handoff;
    const char *words = h->cmdline;
    char name[HANDOFF_PROGRAM_NAME];
    while (h->programs < HANDOFF_PROGRAMS_MAX && program_names_next(&words, name)) {
        if (is_listed(h, name))
            continue;
        struct handoff_program *f = &h->program[h->programs++];
        memcpy(f->name, name, sizeof(name));
        if (name[0])
            find_file(l, f);
        else
            take_own(l, f);
    }
}
