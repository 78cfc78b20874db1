// SPDX-License-Identifier: BSD-2-Clause
// Errors of links and packets in words (PCIe Base 6.0, 7.8.4 and 7.9.14). Pure: registers in, one
// sentence out, which says who, what by the specification's name, of which packet, and what follows.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

struct pci_error_log {
    const char *name;       // of the function that noticed
    const char *kind;       // "root port"
    unsigned before;        // times that nobody was told of
    uint32_t uncorrectable; // status bits to be told,
    uint32_t severity;      // and which of them are fatal
    uint32_t correctable;
    uint32_t control;
    uint32_t header[4]; // zeros: none was logged
};

// Whose packet it was that the error is of, where that is known.
bool pci_error_sender(const struct pci_error_log *log, uint16_t *id);

void pci_error_uncorrectable(const struct pci_error_log *log, struct problem *p);
void pci_error_correctable(const struct pci_error_log *log, struct problem *p);

// A message that a root port received: who sent it knows more, but may not tell.
enum pci_error_message { PCI_ERR_COR, PCI_ERR_NONFATAL, PCI_ERR_FATAL };
void pci_error_message(const char *name, enum pci_error_message message, uint16_t source,
                       struct problem *p);

// DPC has brought a port's link down. pio, header: a root port's own log, zeros without one.
struct pci_dpc_log {
    const char *name;
    uint16_t status, source;
    uint32_t pio, header[4];
    bool released; // the link is let up again; else firmware has to
};
void pci_error_dpc(const struct pci_dpc_log *log, struct problem *p);
