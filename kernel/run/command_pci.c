// SPDX-License-Identifier: BSD-2-Clause
// A PCI function as people name it.

#include "kernel/pci/pci.h"
#include "kernel/run/command.h"
#include "lib/string.h"

const struct pci_dev *command_pci_function(const char *word, struct problem *p)
{
    for_each_pci_dev (dev)
        if (!dev->removed &&
            (!strcmp(dev->name, word) || (!dev->segment && !strcmp(dev->name + 5, word))))
            return dev;
    problem_set(p, "monitor-word",
                "there is no PCI function \"%.40s\": pci lists them; say it as 00:1f.2", word);
    return NULL;
}
