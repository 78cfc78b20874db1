// SPDX-License-Identifier: BSD-2-Clause
// The table of quirks. The source is named with each: "Linux" is nvme_id_table and nvme_pci_enable()
// of drivers/nvme/host/pci.c, "SPDK" is lib/nvme/nvme_quirks.c.
//
// Three that others have need no row here. Micron's controllers have no MSI-X vector for the admin
// queue beyond those of the I/O queues (SPDK): ours shares the first one. Intel's P55xx can't take
// Dataset Management by SGL (SPDK): its ranges go by PRP. And many disks have the NGUID or EUI-64 of
// others of their kind (Linux: NVME_QUIRK_BOGUS_NID): two ways to one disk are told by subsystem and
// serial number first.

#include "drivers/nvme/quirks.h"

#include "lib/types.h"

#define APPLE 0x106b
#define HGST 0x1c58
#define HUAWEI 0x19e5
#define INTEL 0x8086
#define HYNIX 0x1c5c
#define KINGSTON 0x2646
#define MARVELL 0x1b4b
#define MEMBLAZE 0x1c5f
#define MICROSOFT 0x1414
#define PHISON 0x1987
#define SAMSUNG 0x144d
#define SANDISK 0x15b7
#define SEAGATE 0x1bb1
#define SILICON_MOTION 0x126f
#define SPCC 0x1d97
#define UMIS 0x1cc4

#define PCI_CLASS_RAID 0x0104

#define SLOW NVME_QUIRK_RESET_DELAY, "it hangs if CSTS is read soon after a reset"
#define SLOW_64                                                                                    \
    NVME_QUIRK_RESET_DELAY | NVME_QUIRK_MQES_64,                                                   \
        "it hangs if CSTS is read soon after a reset, and some firmware has 0 in CAP.MQES"
#define RAID NVME_QUIRK_RAID, "Intel RST, which maps NVMe drives into a SATA controller"

#define STRIPE                                                                                     \
    NVME_QUIRK_STRIPE | NVME_QUIRK_LONG_QUEUES,                                                    \
        "commands across its stripes take twice the time, and short queues slow it down"
#define NO_ZEROES NVME_QUIRK_NO_WRITE_ZEROES, "Write Zeroes fails, or takes seconds"

static const struct nvme_quirk quirks[] = {
    // Linux: NVME_QUIRK_DELAY_BEFORE_CHK_RDY
    { SAMSUNG, 0xa808, SLOW },    // X5
    { SAMSUNG, 0xa821, SLOW_64 }, // PM1725; Linux takes 64 entries where MQES is 0
    { SAMSUNG, 0xa822,            // PM1725a; the same, and Linux: NVME_QUIRK_DISABLE_WRITE_ZEROES
      NVME_QUIRK_NO_WRITE_ZEROES | SLOW_64 },
    { SEAGATE, 0x0100, NVME_QUIRK_NO_DESCRIPTORS | SLOW }, // Nytro
    { HGST, 0x0003, SLOW },                                // SN100
    { HGST, 0x0023, SLOW },                                // SN200
    { MEMBLAZE, 0x0540, SLOW },                            // Pblaze4
    { SAMSUNG, 0xa813, SLOW }, // users of SPDK: its issues 2254 and 2753
    { SAMSUNG, 0xa826, SLOW }, // reported of PM1733's kin

    // Linux: NVME_QUIRK_STRIPE_SIZE; SPDK: also NVME_QUIRK_MINIMUM_IO_QUEUE_SIZE
    { INTEL, 0x0953, STRIPE }, // P3500, P3600, P3700
    { INTEL, 0x0a53, STRIPE }, // P3520
    { INTEL, 0x0a54, STRIPE }, // P4500, P4600
    { INTEL, 0x0a55, STRIPE }, // P4600, as Dell sells it
    { INTEL, 0x0b60, STRIPE }, // P5510; SPDK alone

    // SPDK: NVME_QUIRK_NOT_USE_SGL, NVME_QUIRK_MINIMUM_ADMIN_QUEUE_SIZE
    { HUAWEI, NVME_ANY_DEVICE, NVME_QUIRK_NO_SGL, "its SGLs don't work, though SGLS has them" },
    { MICROSOFT, 0xb111, NVME_QUIRK_ADMIN_PAGE,
      "its admin submission queue must fill pages: 64 entries, or a multiple" },

    // Linux: NVME_QUIRK_NO_NS_DESC_LIST, NVME_QUIRK_IDENTIFY_CNS
    { SILICON_MOTION, 0x2263, NVME_QUIRK_NO_DESCRIPTORS, "Identify, CNS 3, isn't answered" },
    { MARVELL, 0x1092, NVME_QUIRK_NO_DESCRIPTORS, "Identify, CNS 3, isn't answered" },
    { INTEL, 0x5845, NVME_QUIRK_ODD_CNS | NVME_QUIRK_NO_WRITE_ZEROES,
      "QEMU of old: it answers each CNS but 0 with controller data" },

    // Linux: NVME_QUIRK_DISABLE_WRITE_ZEROES
    { INTEL, 0xf1a5, NO_ZEROES },    // 600p
    { HYNIX, 0x1504, NO_ZEROES },    // PC400
    { HYNIX, 0x1d59, NO_ZEROES },    // BC901
    { KINGSTON, 0x5016, NO_ZEROES }, // OM3PGP4, OM8SFP4, OM8PGP4
    { KINGSTON, 0x5018, NO_ZEROES },
    { KINGSTON, 0x501a, NO_ZEROES },
    { KINGSTON, 0x501b, NO_ZEROES },
    { KINGSTON, 0x501e, NO_ZEROES },
    { PHISON, 0x5019, NO_ZEROES },  // E19
    { PHISON, 0x5021, NO_ZEROES },  // E21
    { SAMSUNG, 0xa809, NO_ZEROES }, // MZALQ256
    { SAMSUNG, 0xa80b, NO_ZEROES }, // PM9B1
    { SANDISK, 0x2001, NO_ZEROES }, // Skyhawk
    { SPCC, 0x2263, NO_ZEROES },
    { UMIS, 0x6302, NO_ZEROES },
    { UMIS, 0x6303, NO_ZEROES },

    // Linux: class 0180h, NVME_QUIRK_QDEPTH_ONE, NVME_QUIRK_128_BYTES_SQES
    { APPLE, 0x2001, NVME_QUIRK_CLASS | NVME_QUIRK_ONE_COMMAND,
      "it resets itself, and loses data, with more than one command in flight" },
    { APPLE, 0x2003, NVME_QUIRK_CLASS, "its class is 0180h" },
    { APPLE, 0x2005, NVME_QUIRK_CLASS | NVME_QUIRK_REFUSED,
      "its submission queues have entries of 128 bytes (Apple's T2), and only those of 64 bytes "
      "that the specification has are supported" },
};

// Intel's SATA controllers in RAID mode: 2822 on desktops, 282a on notebooks, 2826 on servers, and
// many more (pci.ids); all have RAID's class. So have VMDs.
static bool is_intel_raid(const struct pci_dev *dev)
{
    return dev->vendor == INTEL && !dev->is_host && dev->class_code >> 8 == PCI_CLASS_RAID;
}

static bool is_of(const struct nvme_quirk *quirk, const struct pci_dev *dev)
{
    return quirk->vendor == dev->vendor &&
           (quirk->device == dev->device || quirk->device == NVME_ANY_DEVICE);
}

const struct nvme_quirk *nvme_quirk(const struct pci_dev *dev)
{
    static const struct nvme_quirk none, raid = { INTEL, 0, RAID };
    for (size_t i = 0; i < ARRAY_SIZE(quirks); i++)
        if (is_of(&quirks[i], dev))
            return &quirks[i];
    return is_intel_raid(dev) ? &raid : &none;
}
