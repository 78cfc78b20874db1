// SPDX-License-Identifier: BSD-2-Clause
// The command line's sources, least important first: \EFI\onebell\cmdline.txt on the volume that
// the image came from, then the UEFI load options, then the menu. The kernel has the defaults; last wins.

#include "boot/load_options.h"
#include "boot/loader.h"
#include "boot/menu.h"
#include "boot/status.h"

#define FILE_BYTES_MAX (64 * KIB)
#define FILE_NAME "\\EFI\\onebell\\cmdline.txt"

static bool read_open_file(struct loader *l, EFI_FILE_HANDLE file, void **text, UINTN *bytes,
                           struct problem *p)
{
    uint64_t base;
    *bytes = FILE_BYTES_MAX + 1;
    if (!memory_take(l, MEMORY_BRIEF, *bytes, MEMORY_ANYWHERE, FILE_NAME, &base, p))
        return false;
    *text = (void *)base;
    EFI_STATUS status = file->Read(file, bytes, *text);
    if (EFI_ERROR(status))
        return problem_set(p, "cmdline-file", FILE_NAME " can't be read: %s; check the boot volume",
                           status_name(status));
    if (*bytes > FILE_BYTES_MAX)
        return problem_set(p, "cmdline-file", FILE_NAME " is longer than %llu KiB: shorten it",
                           (unsigned long long)(FILE_BYTES_MAX / KIB));
    return true;
}

static bool read_file(struct loader *l, EFI_FILE_HANDLE root, void **text, UINTN *bytes,
                      struct problem *p)
{
    CHAR16 name[] = u"\\EFI\\onebell\\cmdline.txt";
    EFI_FILE_HANDLE file;
    EFI_STATUS status = root->Open(root, &file, name, EFI_FILE_MODE_READ, 0);
    if (status == EFI_NOT_FOUND)
        return true;
    if (EFI_ERROR(status))
        return problem_set(p, "cmdline-file",
                           FILE_NAME " can't be opened: %s; check the boot volume",
                           status_name(status));
    bool ok = read_open_file(l, file, text, bytes, p);
    file->Close(file);
    return ok;
}

// *bytes stays 0 where there is no such file, or no volume (an image from the network).
static bool find_file(struct loader *l, void **text, UINTN *bytes, struct problem *p)
{
    EFI_FILE_HANDLE root;
    *bytes = 0;
    EFI_STATUS status = volume_open(l, &root);
    if (EFI_ERROR(status))
        return problem_set(
            p, "cmdline-volume",
            "the volume that the image was loaded from can't be opened: %s; check it",
            status_name(status));
    if (!root)
        return true;
    bool ok = read_file(l, root, text, bytes, p);
    root->Close(root);
    return ok;
}

bool command_line_gather(struct loader *l, struct problem *p)
{
    struct options o;
    void *text = NULL;
    UINTN bytes;
    options_begin(&o, l->handoff->cmdline, sizeof(l->handoff->cmdline));
    if (!find_file(l, &text, &bytes, p) || (bytes && !options_add_file(&o, text, bytes, p)))
        return false;
    if (l->self->LoadOptions && l->self->LoadOptionsSize &&
        !options_add_load_options(&o, l->self->LoadOptions, l->self->LoadOptionsSize))
        l->handoff->warnings[HANDOFF_WARN_LOAD_OPTIONS] =
            (struct handoff_warned){ 1, { l->self->LoadOptionsSize } };
    l->handoff->cmdline_dropped = (uint32_t)o.dropped;
    return true;
}

// What the menu's answer adds comes last, and wins.
bool command_line_ask(struct loader *l, struct problem *p)
{
    struct handoff *h = l->handoff;
    struct options o;
    const char *app = menu_run(l, h->cmdline);
    if (!app)
        return true;
    options_continue(&o, h->cmdline, sizeof(h->cmdline), h->cmdline_dropped);
    options_add_words(&o, "app=");
    options_add_words(&o, app);
    h->cmdline_dropped = (uint32_t)o.dropped;
    h->menu_chosen = true;
    return true;
}
