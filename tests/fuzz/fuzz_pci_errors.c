// SPDX-License-Identifier: BSD-2-Clause
// Sentences of registers that say anything: each ends within its buffer, and says what follows.

#include <stdlib.h>
#include <string.h>

#include "kernel/pci/pci_error_text.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check(const struct problem *p, const char *start)
{
    size_t length = strnlen(p->message, sizeof(p->message));
    require(length < sizeof(p->message) && !memcmp(p->message, start, strlen(start)));
    for (size_t i = 0; i < length; i++)
        require(p->message[i] >= ' ' && p->message[i] <= '~');
}

struct input {
    uint32_t uncorrectable, severity, correctable, control, before, header[4], pio;
    uint16_t status, source;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem p;
    struct input in = { 0 };
    if (size)
        memcpy(&in, data, MIN(size, sizeof(in)));
    struct pci_error_log log = {
        .name = "ffff:ff:1f.7",
        .kind = "downstream port",
        .before = in.before,
        .uncorrectable = in.uncorrectable,
        .severity = in.severity,
        .correctable = in.correctable,
        .control = in.control,
    };
    struct pci_dpc_log dpc = {
        .name = log.name,
        .status = in.status,
        .source = in.source,
        .pio = in.pio,
        .released = in.before & 1,
    };
    memcpy(log.header, in.header, sizeof(log.header));
    memcpy(dpc.header, in.header, sizeof(dpc.header));
    pci_error_uncorrectable(&log, &p);
    check(&p, "ffff:ff:1f.7 (downstream port): ");
    require(strstr(p.message, log.uncorrectable & log.severity ? "relied on" : "link works"));
    pci_error_correctable(&log, &p);
    check(&p, "ffff:ff:1f.7 (downstream port): corrected: ");
    require(strstr(p.message, "slot and cable"));
    pci_error_message(log.name, in.status % 3, in.source, &p);
    check(&p, "ffff:ff:1f.7 (root port): ");
    pci_error_dpc(&dpc, &p);
    check(&p, "ffff:ff:1f.7: its link was brought down by DPC: ");
    require(strstr(p.message, "up again"));
    return 0;
}
