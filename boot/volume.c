// SPDX-License-Identifier: BSD-2-Clause
// The volume that the image was loaded from: no other is ever opened.

#include "boot/loader.h"

EFI_STATUS volume_open(struct loader *l, EFI_FILE_HANDLE *root)
{
    EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_FILE_IO_INTERFACE *volume;
    *root = NULL;
    if (!l->self->DeviceHandle ||
        EFI_ERROR(l->services->HandleProtocol(l->self->DeviceHandle, &guid, (void **)&volume)))
        return EFI_SUCCESS;
    return volume->OpenVolume(volume, root);
}
