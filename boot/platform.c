// SPDX-License-Identifier: BSD-2-Clause
// What firmware alone knows of the machine: the ACPI root pointer, the framebuffer, and a free page
// below 1 MiB.

#include "boot/console.h"
#include "boot/loader.h"
#include "boot/status.h"
#include "lib/string.h"

static uint64_t configuration_table(const EFI_SYSTEM_TABLE *system, EFI_GUID guid)
{
    for (UINTN i = 0; i < system->NumberOfTableEntries; i++)
        if (!memcmp(&system->ConfigurationTable[i].VendorGuid, &guid, sizeof(guid)))
            return (uint64_t)system->ConfigurationTable[i].VendorTable;
    return 0;
}

static uint64_t find_rsdp(const EFI_SYSTEM_TABLE *system)
{
    EFI_GUID version_2 = ACPI_20_TABLE_GUID, version_1 = ACPI_TABLE_GUID;
    uint64_t rsdp = configuration_table(system, version_2);
    return rsdp ? rsdp : configuration_table(system, version_1);
}

static uint64_t find_smbios(const EFI_SYSTEM_TABLE *system)
{
    EFI_GUID version_3 = SMBIOS3_TABLE_GUID, version_2 = SMBIOS_TABLE_GUID;
    uint64_t smbios = configuration_table(system, version_3);
    return smbios ? smbios : configuration_table(system, version_2);
}

// UEFI 2.10, 12.9.1: the first byte of a pixel is the one that the format names first.
static bool set_masks(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info,
                      struct handoff_framebuffer *f)
{
    const EFI_PIXEL_BITMASK *m = &info->PixelInformation;
    const EFI_PIXEL_BITMASK rgb = { 0x0000ff, 0x00ff00, 0xff0000, 0xff000000 };
    const EFI_PIXEL_BITMASK bgr = { 0xff0000, 0x00ff00, 0x0000ff, 0xff000000 };
    if (info->PixelFormat == PixelRedGreenBlueReserved8BitPerColor)
        m = &rgb;
    else if (info->PixelFormat == PixelBlueGreenRedReserved8BitPerColor)
        m = &bgr;
    else if (info->PixelFormat != PixelBitMask)
        return false; // PixelBltOnly: there is nothing to store into
    f->red = m->RedMask;
    f->green = m->GreenMask;
    f->blue = m->BlueMask;
    f->reserved = m->ReservedMask;
    return true;
}

// A mode that pixels can be stored into: whole lines, inside what firmware mapped.
static bool use_framebuffer(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct handoff_framebuffer *f)
{
    const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode = gop->Mode;
    if (!mode || !mode->Info || !mode->FrameBufferBase)
        return false;
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = mode->Info;
    struct handoff_framebuffer found = {
        .base = mode->FrameBufferBase,
        .bytes = mode->FrameBufferSize,
        .width = info->HorizontalResolution,
        .height = info->VerticalResolution,
        .stride = info->PixelsPerScanLine,
    };
    if (!set_masks(info, &found) || !handoff_pixel_bytes(&found))
        return false;
    if (!found.width || !found.height || found.stride < found.width ||
        (uint64_t)found.stride * found.height > found.bytes / handoff_pixel_bytes(&found))
        return false;
    *f = found;
    return true;
}

static bool try_handle(struct loader *l, EFI_HANDLE handle)
{
    EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
    return handle && !EFI_ERROR(l->services->HandleProtocol(handle, &guid, (void **)&gop)) &&
           use_framebuffer(gop, &l->handoff->framebuffer);
}

// The console's own picture first; where the console is spread over several screens its mode may
// have no framebuffer, and the first screen with one serves.
static void find_framebuffer(struct loader *l)
{
    EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    if (try_handle(l, l->system->ConsoleOutHandle) ||
        EFI_ERROR(l->services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
        return;
    for (UINTN i = 0; i < count && !try_handle(l, handles[i]); i++)
        ;
    l->services->FreePool(handles);
}

// Page 0 is no use to the kernel, whose 0 means none. If firmware gives that one, it stays taken,
// and the next try gives another or fails.
static void take_trampoline(struct loader *l)
{
    struct problem none;
    uint64_t base = 0;
    for (unsigned i = 0; i < 2 && !base; i++)
        if (!memory_take(l, MEMORY_KEPT, HANDOFF_TRAMPOLINE_BYTES, HANDOFF_TRAMPOLINE_LIMIT - 1,
                         "starting CPUs", &base, &none))
            return;
    l->handoff->trampoline = base;
}

bool platform_describe(struct loader *l, struct problem *p)
{
    l->handoff->rsdp = find_rsdp(l->system);
    l->handoff->smbios = find_smbios(l->system);
    find_framebuffer(l);
    hsti_read(l);
    take_trampoline(l);
    return true;
}
