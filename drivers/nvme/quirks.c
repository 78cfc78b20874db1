// SPDX-License-Identifier: BSD-2-Clause
// The table of quirks. The source is named with each: "Linux" is nvme_id_table and nvme_pci_enable()
// of drivers/nvme/host/pci.c.

#include "drivers/nvme/quirks.h"

#include "lib/types.h"

#define APPLE 0x106b
#define HGST 0x1c58
#define INTEL 0x8086
#define MEMBLAZE 0x1c5f
#define SAMSUNG 0x144d
#define SEAGATE 0x1bb1

#define PCI_CLASS_RAID 0x0104

#define SLOW NVME_QUIRK_RESET_DELAY, "it hangs if CSTS is read soon after a reset"
#define SLOW_64                                                                                    \
    NVME_QUIRK_RESET_DELAY | NVME_QUIRK_MQES_64,                                                   \
        "it hangs if CSTS is read soon after a reset, and some firmware has 0 in CAP.MQES"
#define VMD NVME_QUIRK_VMD, "Intel VMD: a function with a PCI domain of its own behind it"
#define RAID NVME_QUIRK_RAID, "Intel RST, which maps NVMe drives into a SATA controller"

static const struct nvme_quirk quirks[] = {
    // Linux: NVME_QUIRK_DELAY_BEFORE_CHK_RDY
    { SAMSUNG, 0xa808, SLOW },    // X5
    { SAMSUNG, 0xa821, SLOW_64 }, // PM1725; Linux takes 64 entries where MQES is 0
    { SAMSUNG, 0xa822, SLOW_64 }, // PM1725a; the same
    { SEAGATE, 0x0100, SLOW },    // Nytro
    { HGST, 0x0003, SLOW },       // SN100
    { HGST, 0x0023, SLOW },       // SN200
    { MEMBLAZE, 0x0540, SLOW },   // Pblaze4
    { SAMSUNG, 0xa813, SLOW },    // users of SPDK: its issues 2254 and 2753
    { SAMSUNG, 0xa826, SLOW },    // reported of PM1733's kin

    // Linux: class 0180h, NVME_QUIRK_QDEPTH_ONE, NVME_QUIRK_128_BYTES_SQES
    { APPLE, 0x2001, NVME_QUIRK_CLASS | NVME_QUIRK_ONE_COMMAND,
      "it resets itself, and loses data, with more than one command in flight" },
    { APPLE, 0x2003, NVME_QUIRK_CLASS, "its class is 0180h" },
    { APPLE, 0x2005, NVME_QUIRK_CLASS | NVME_QUIRK_REFUSED,
      "its submission queues have entries of 128 bytes (Apple's T2), and only those of 64 bytes "
      "that the specification has are supported" },

    // Linux: vmd_ids of drivers/pci/controller/vmd.c
    { INTEL, 0x201d, VMD },
    { INTEL, 0x28c0, VMD },
    { INTEL, 0x467f, VMD },
    { INTEL, 0x4c3d, VMD },
    { INTEL, 0x7d0b, VMD },
    { INTEL, 0x9a0b, VMD },
    { INTEL, 0xa77f, VMD },
    { INTEL, 0xad0b, VMD },
    { INTEL, 0xb06f, VMD },
    { INTEL, 0xb07f, VMD },
    { INTEL, 0xb60b, VMD },
};

// Intel's SATA controllers in RAID mode: 2822 on desktops, 282a on notebooks, 2826 on servers, and
// many more (pci.ids); all have RAID's class.
static bool is_intel_raid(const struct pci_dev *dev)
{
    return dev->vendor == INTEL && dev->class_code >> 8 == PCI_CLASS_RAID;
}

const struct nvme_quirk *nvme_quirk(const struct pci_dev *dev)
{
    static const struct nvme_quirk none, raid = { INTEL, 0, RAID };
    for (size_t i = 0; i < ARRAY_SIZE(quirks); i++)
        if (quirks[i].vendor == dev->vendor && quirks[i].device == dev->device)
            return &quirks[i];
    return is_intel_raid(dev) ? &raid : &none;
}
