// SPDX-License-Identifier: BSD-2-Clause
// Names of status codes (UEFI 2.10, appendix D), for error messages.

#include "boot/status.h"

#include "lib/types.h"

#define STATUS_CODE_BITS 0xffffull

static const char *const status_names[] = {
    [1] = "EFI_LOAD_ERROR",        [2] = "EFI_INVALID_PARAMETER",   [3] = "EFI_UNSUPPORTED",
    [4] = "EFI_BAD_BUFFER_SIZE",   [5] = "EFI_BUFFER_TOO_SMALL",    [6] = "EFI_NOT_READY",
    [7] = "EFI_DEVICE_ERROR",      [8] = "EFI_WRITE_PROTECTED",     [9] = "EFI_OUT_OF_RESOURCES",
    [10] = "EFI_VOLUME_CORRUPTED", [11] = "EFI_VOLUME_FULL",        [12] = "EFI_NO_MEDIA",
    [13] = "EFI_MEDIA_CHANGED",    [14] = "EFI_NOT_FOUND",          [15] = "EFI_ACCESS_DENIED",
    [16] = "EFI_NO_RESPONSE",      [17] = "EFI_NO_MAPPING",         [18] = "EFI_TIMEOUT",
    [21] = "EFI_ABORTED",          [26] = "EFI_SECURITY_VIOLATION",
};

const char *status_name(EFI_STATUS status)
{
    uint64_t code = (uint64_t)status & STATUS_CODE_BITS;
    if (status == EFI_SUCCESS)
        return "EFI_SUCCESS";
    if (EFI_ERROR(status) && code < ARRAY_SIZE(status_names) && status_names[code])
        return status_names[code];
    return "an unlisted EFI status";
}
