// SPDX-License-Identifier: BSD-2-Clause
// Device paths: nodes of a type, a subtype and a 16-bit length (UEFI 2.10, 10.3.1).

#include "boot/device_path.h"

#include "lib/string.h"

enum {
    NODE_HEADER_BYTES = 4,
    TYPE_ACPI = 2,
    SUBTYPE_ACPI_DEVICE = 1, // then HID and UID, 32 bits each
    ACPI_DEVICE_BYTES = 12,
    TYPE_MESSAGING = 3,
    SUBTYPE_UART = 14,
    TYPE_END = 0x7f,
    SUBTYPE_END_OF_PATH = 0xff,
};
#define HID_PNP0501 0x050141d0u // compressed EISA id of a 16550

static uint32_t read32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return value;
}

static bool is_com(const uint8_t *node, size_t length, uint32_t uid)
{
    return node[0] == TYPE_ACPI && node[1] == SUBTYPE_ACPI_DEVICE && length == ACPI_DEVICE_BYTES &&
           read32(node + 4) == HID_PNP0501 && read32(node + 8) == uid;
}

bool device_path_names_com(const void *paths, size_t bytes, uint32_t uid)
{
    const uint8_t *node = paths;
    bool com = false;
    while (bytes >= NODE_HEADER_BYTES) {
        size_t length = (size_t)node[2] | (size_t)node[3] << 8;
        if (length < NODE_HEADER_BYTES || length > bytes)
            return false;
        if (node[0] == TYPE_END) // of one instance, or of all
            com = false;
        else if (is_com(node, length, uid))
            com = true;
        else if (com && node[0] == TYPE_MESSAGING && node[1] == SUBTYPE_UART)
            return true;
        node += length;
        bytes -= length;
    }
    return false;
}

bool device_path_is_list(const void *paths, size_t bytes)
{
    const uint8_t *node = paths;
    bool ended = false;
    while (bytes >= NODE_HEADER_BYTES) {
        size_t length = (size_t)node[2] | (size_t)node[3] << 8;
        if (length < NODE_HEADER_BYTES || length > bytes)
            return false;
        ended = node[0] == TYPE_END && node[1] == SUBTYPE_END_OF_PATH;
        node += length;
        bytes -= length;
    }
    return ended && bytes == 0;
}
