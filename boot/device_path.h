// SPDX-License-Identifier: BSD-2-Clause
// Looking into firmware's device paths. Pure: bytes in, answer out.
#pragma once

#include "lib/types.h"

// True if one of the paths (a multi-instance device path of so many bytes, UEFI 2.10, 10.3) ends at
// the UART that ACPI calls PNP0501 with that _UID, on PCs 0 for COM1, 1 for COM2 and so on. False for malformed
// paths.
bool device_path_names_com(const void *paths, size_t bytes, uint32_t uid);

// True if the bytes are whole nodes, and the last one ends a path: a list of one path or more.
bool device_path_is_list(const void *paths, size_t bytes);
