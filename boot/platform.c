// SPDX-License-Identifier: BSD-2-Clause
// What firmware alone knows of the machine: the ACPI root pointer, the framebuffer, and a free page
// below 1 MiB.

#include "boot/console.h"
#include "boot/loader.h"
#include "boot/status.h"
#include "lib/string.h"

#define PIXEL_BYTES 4
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

// A mode that pixels can be stored into: 32 bits each, whole lines, inside what firmware mapped.
static bool use_framebuffer(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct handoff_framebuffer *f)
{
    const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode = gop->Mode;
    if (!mode || !mode->Info || !mode->FrameBufferBase)
        return false;
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = mode->Info;
    if (info->PixelFormat != PixelRedGreenBlueReserved8BitPerColor &&
        info->PixelFormat != PixelBlueGreenRedReserved8BitPerColor)
        return false;
    if (!info->HorizontalResolution || !info->VerticalResolution ||
        info->PixelsPerScanLine < info->HorizontalResolution ||
        (uint64_t)info->PixelsPerScanLine * info->VerticalResolution >
            mode->FrameBufferSize / PIXEL_BYTES)
        return false;
    *f = (struct handoff_framebuffer){
        .base = mode->FrameBufferBase,
        .bytes = mode->FrameBufferSize,
        .width = info->HorizontalResolution,
        .height = info->VerticalResolution,
        .stride = info->PixelsPerScanLine,
        .pixel = info->PixelFormat == PixelRedGreenBlueReserved8BitPerColor ? HANDOFF_PIXEL_RGBX
                                                                            : HANDOFF_PIXEL_BGRX,
    };
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
