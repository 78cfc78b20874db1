// SPDX-License-Identifier: BSD-2-Clause
// PCI Express: every function of every segment, found through ECAM, with the parts a driver needs.
#pragma once

#include "lib/problem.h"
#include "lib/spinlock.h"
#include "lib/types.h"

struct pci_bar {
    uint64_t base; // physical; 0: not there, or firmware left it unassigned
    uint64_t bytes;
    bool io;   // port space, else memory
    bool wide; // 64-bit: the next BAR slot is its upper half
};

struct pci_msix {
    uint16_t cap;         // config offset of the capability; 0: the function has no MSI-X
    uint16_t vectors;     // table size
    volatile void *table; // mapped by msix_enable()
};

// Virtual functions that are enabled.
struct pci_virtual {
    uint16_t cap;            // config offset of the SR-IOV capability; 0: there are none
    uint16_t count;          // 0: none is enabled
    uint16_t offset, stride; // from the physical function's bdf to the first, and to the next
    uint16_t device;         // their device id
};

struct pci_saved;
struct pci_errors;
struct pci_space;
struct irq_chip;

// Memory that a domain's host forwards: as the CPU sees it, and what is in the BARs there.
struct pci_window {
    uint64_t base, bytes, bar;
};

// A segment that MCFG doesn't have, since a function hides it (Intel VMD).
struct pci_domain {
    struct pci_dev *host;        // all requests from the domain have its id
    uint64_t config;             // physical: 1 MiB for each bus
    uint8_t first_bus, last_bus; // the first is the root bus
    struct pci_window windows[2];
    const struct irq_chip *chip; // how MSIs from the domain go on; NULL: as any others
    struct spinlock lock;        // of configuration space
};

struct pci_dev {
    uint32_t segment;   // PCI_SEGMENT_HIDDEN and up: a domain's
    uint16_t bdf;       // bus 15:8, device 7:3, function 2:0
    uint16_t requester; // the id that an IOMMU sees: bdf, or the alias of a PCIe-to-PCI bridge
    uint16_t vendor, device;
    uint32_t class_code;            // class 23:16, subclass 15:8, interface 7:0
    uint8_t header;                 // header type without the multi-function bit
    uint8_t port_type;              // PCI_EXP_TYPE_*; PCI_EXP_TYPE_NONE: a conventional function
    uint8_t secondary, subordinate; // bridges
    struct pci_dev *parent;         // the bridge above, or the domain's host; NULL on a root bus
    struct pci_domain *domain;      // NULL: it is in MCFG
    volatile void *below;           // of a bridge: configuration space of its secondary bus
    bool removed;                   // it was taken out, and another may come to its place
    volatile void *config;          // 4 KiB of ECAM
    uint64_t bases[6];              // of memory BARs, as they were found; 0: none
    struct pci_bar bars[6];         // once pci_size_bars() has been called
    bool bars_sized;
    struct pci_space *space; // what it may reach once it is granted that; NULL: the DMA arena
    bool granted;            // it may, as far as there is a fence
    bool unsure;      // it may all the same: a grant failed, or the end of one was not confirmed
    bool left_master; // firmware left its bus mastering on
    bool is_host;     // of a domain, or would be if it could be driven
    struct pci_msix msix;
    struct pci_virtual virtual;
    struct pci_dev *physical; // of a virtual function: whose it is, and the how manieth, from 0
    uint16_t virtual_index;
    unsigned node;             // NUMA node; NODE_ANY where unknown
    struct pci_saved *kept;    // by pci_keep()
    const char *given_to;      // the domain that has it; NULL: none
    uint16_t reports;          // of the Device Control and Command registers, where those are muted
    struct pci_errors *errors; // by pci_errors_start(); NULL: it has none to tell
    char name[16];             // "0000:00:04.0", "10000:01:00.0"
};

#define PCI_BUS(bdf) ((bdf) >> 8)
#define PCI_DEV(bdf) (((bdf) >> 3) & 31)
#define PCI_FN(bdf) ((bdf) & 7)
#define PCI_BDF(bus, dev, fn) ((uint16_t)((bus) << 8 | (dev) << 3 | (fn)))

static inline bool pci_is_display(const struct pci_dev *dev)
{
    return dev->class_code >> 16 == 0x03;
}

// Finds everything that MCFG names, and writes to nothing. Once, on the boot CPU. Odd things are
// warned of and passed over.
bool pci_init(struct problem *p);

// Finds what is in a domain, which gets a segment number past those that firmware can give; returns how
// many functions there are. `domain` is kept. Boot CPU, before pci_stop_masters().
#define PCI_SEGMENT_HIDDEN 0x10000
size_t pci_add_domain(struct pci_domain *domain);

// The function that the platform (IOMMUs, ACPI's tables) sees in place of this one: the host of its
// domain, or itself.
static inline const struct pci_dev *pci_visible(const struct pci_dev *dev)
{
    return dev->domain ? dev->domain->host : dev;
}

// Takes bus mastering from every function, bridges last: what firmware's drivers left behind. Spared
// are IOMMUs, which read their own tables, and host and ISA bridges and their like, some of which
// carry the chipset's own traffic. After pci_init(), before any driver.
void pci_stop_masters(void);

// Marks those whose bus mastering the loader had to end. After pci_init().
struct handoff_master;
void pci_mark_left_masters(const struct handoff_master *left, size_t count);

// Gives functions the NUMA node that the SRAT names for them or for the nearest bridge above them.
struct srat_device;
void pci_set_nodes(const struct srat_device *named, size_t count);
// The node of one function, where nothing better is known.
void pci_suggest_node(struct pci_dev *dev, unsigned node);

// The functions found, in the order of segment and bus; NULL past the end.
struct pci_dev *pci_get(size_t index);
#define for_each_pci_dev(dev) for_each_of (struct pci_dev, dev, pci_get)

uint8_t pci_read8(const struct pci_dev *dev, unsigned offset);
uint16_t pci_read16(const struct pci_dev *dev, unsigned offset);
uint32_t pci_read32(const struct pci_dev *dev, unsigned offset);
void pci_write16(const struct pci_dev *dev, unsigned offset, uint16_t value);
void pci_write32(const struct pci_dev *dev, unsigned offset, uint32_t value);

// Config offset of the first capability with this id; 0: none. The list is followed for at most 48
// entries, so that a loop in it ends. pci_caps_fault(): what is wrong with the list; NULL: nothing.
unsigned pci_find_cap(const struct pci_dev *dev, uint8_t id);
const char *pci_caps_fault(const struct pci_dev *dev);
// The same for extended capabilities, which PCI Express functions have.
unsigned pci_find_ext_cap(const struct pci_dev *dev, uint16_t id);

// Of an ARI device's function: the number of the next one; 0: there is none. And whether a port
// forwards to functions past 7.
unsigned pci_ari_next(const struct pci_dev *dev);
bool pci_forwards_ari(const struct pci_dev *port);
// Fills in `virtual`; what makes no sense is warned of and left out.
void pci_read_virtual(struct pci_dev *dev);

// Virtual functions (9.2, 9.3), of which a function has none at first: how many it can have, 0 as well
// where firmware has turned some on. Turning them on, PCI_VIRTUAL_NS before the first is looked at: what
// they need is checked before. Finding them, in the list, in the place of those there were: fewer, where
// some can't be used, or none, and then they are off again. And turning them off, when nobody uses them
// any more and none may master. "pci-sriov". Boot CPU.
#define PCI_VIRTUAL_NS (100 * NS_PER_MS)
unsigned pci_virtual_most(const struct pci_dev *dev);
bool pci_virtual_start(struct pci_dev *dev, unsigned count, struct problem *p);
unsigned pci_virtual_find(struct pci_dev *dev);
void pci_virtual_stop(struct pci_dev *dev);

// A reset of the function alone (6.6.2), where it has one; it must be idle and no bus master: it comes back
// configured as it was, but for its virtual functions, which are off. `delay_ns` waits 100 ms, and up to a
// second. "pci-reset". Boot CPU.
bool pci_reset(struct pci_dev *dev, void (*delay_ns)(uint64_t), struct problem *p);

// 0 (D0) to 3 (D3hot).
unsigned pci_power_state(const struct pci_dev *dev);

// Brings the device, and the bridges above it, to power state D0. What the transition lost of
// configuration space is as it was before; the device's own registers may have been reset, which
// `woken` tells. `delay_ns` waits. Boot CPU.
bool pci_power_on(struct pci_dev *dev, void (*delay_ns)(uint64_t), bool *woken, struct problem *p);

// A function that is pulled from power, or reset from above, loses its configuration. Keeps what there
// is now, all but the messages of MSI-X; and brings back to D0 and writes again what is missing of it,
// which takes no longer than 10 ms. False: it doesn't answer, yet. Boot CPU.
void pci_keep(struct pci_dev *dev);
bool pci_revive(struct pci_dev *dev, void (*delay_ns)(uint64_t));

// What answers in the function's place has its ids: it may be back.
bool pci_is_back(const struct pci_dev *dev);

// The nearest port above the function whose slot things are put into and taken out of while the
// machine runs; NULL: there is none. Boot CPU, as for all of slots.
struct pci_dev *pci_slot_of(const struct pci_dev *dev);
bool pci_has_slot(const struct pci_dev *port);

struct pci_slot_look {
    bool present, link, power; // now
    bool tells_link;           // else `link` is true where something is present
    bool pressed;              // since the last look: its attention button,
    bool swapped, relinked;    // and whether something came or went, or the link did
};
// False: the port itself doesn't answer.
bool pci_slot_look(const struct pci_dev *port, struct pci_slot_look *look);
void pci_slot_power(const struct pci_dev *port, bool on);

// What is in a slot now: whether it answers to configuration requests; and finding it, in place of
// what was there before, with addresses out of the port's windows. Nobody uses the latter any more.
// False: it can't be used, and nothing decodes.
bool pci_slot_answers(const struct pci_dev *port);
bool pci_slot_scan(struct pci_dev *port, struct problem *p);

// Errors of the function and of the links above it, as AER and DPC log them (7.8.4, 7.9.14): what is
// there at the start is stale, and cleared; from then on a look, once in a while and whenever the
// function doesn't answer, tells each in one sentence, though no more often than once a minute, and
// clears it, unless firmware is told of errors and clears them itself. A link that DPC brought down is
// let up again. False: there is nothing to look at. Boot CPU.
bool pci_errors_start(struct pci_dev *dev);
void pci_errors_look(struct pci_dev *dev, uint64_t now_ns);

// Whose the function is from now on: a domain's of that name; NULL: the kernel's again. What is logged by now
// is told as its last owner's. A domain's errors are told as the domain's ("domain-pcie"), and its functions
// send no messages of them: to firmware, to the kernel as an NMI, or to a port that would bring down the link
// of others for it, a domain says nothing. Boot CPU.
void pci_give(struct pci_dev *dev, const char *to, uint64_t now_ns);

// Memory decoding of the device; with bus mastering, of the device and of the bridges above it, once the
// device has been granted its memory; and the end of the device's own bus mastering, read back, after
// which nothing is granted to it. False: it goes on, and nothing keeps it from memory. Boot CPU.
void pci_enable_memory(struct pci_dev *dev);
bool pci_enable(struct pci_dev *dev, struct problem *p);
bool pci_stop_bus_master(struct pci_dev *dev);

// Who keeps functions to the memory that they were granted: none at first. Boot CPU.
struct pci_fence {
    bool (*grant)(const struct pci_dev *dev, struct problem *p);
    bool (*revoke)(const struct pci_dev *dev, struct problem *p);
    bool (*reaches)(const struct pci_dev *dev); // any memory, by any id that its requests bear
    struct pci_space *(*create)(struct problem *p);
    bool (*map)(struct pci_space *space, uint64_t at, uint64_t phys, uint64_t bytes,
                struct problem *p);
};
void pci_set_fence(const struct pci_fence *fence);

// Memory that functions reach in place of the DMA arena, which is theirs alone: for a domain. It is there
// for the rest of the run. NULL: "domain-fence", nothing keeps functions to it; "domain-ids". Boot CPU.
struct pci_space *pci_space_create(struct problem *p);

// Whole pages at `phys`, which functions find at `at`, for the rest of the run; at any time. "domain-map".
bool pci_space_map(struct pci_space *space, uint64_t at, uint64_t phys, uint64_t bytes,
                   struct problem *p);

// Whether all of these may be given to one domain: none of them sends by the id of another function, or
// reaches one past the remapping units. "domain-alias", "domain-virtual", "domain-acs". Boot CPU.
bool pci_may_give(struct pci_dev *const *given, size_t count, struct problem *p);

// What the next pci_enable() grants; NULL: the DMA arena. False: it is granted something, or may still
// reach that, since the end was not confirmed (pci_stop_bus_master() tries again). Boot CPU.
bool pci_set_space(struct pci_dev *dev, struct pci_space *space);

// A breach: what was blocked of a function. One that can't be told of whom it was comes without a function:
// others may have been lost, and they may be anybody's.
struct pci_blocked {
    bool lost;        // nothing else is known of it
    bool interrupt;   // else of memory
    bool reads;       // memory: else it would have written
    uint64_t address; // memory: the page, as the function has it
    const char *sentence;
};

// Who is told of each one, and for each function that bears the sender's id, whether or not people are, in
// the boot CPU's loop; and by whom. NULL: nobody. True: people know, by another sentence that has this one.
typedef bool pci_on_blocked_fn(struct pci_dev *dev, const struct pci_blocked *what);
void pci_on_blocked(pci_on_blocked_fn *fn);
bool pci_tell_blocked(uint32_t segment, uint16_t source, const struct pci_blocked *what);

// A reset of a physical function, or its end, is one of its virtual ones, which its driver tells of when they
// can be set up again, if they can: who is told of each of them, in the boot CPU's loop. NULL: nobody.
typedef void pci_on_lost_fn(struct pci_dev *dev);
void pci_on_lost(pci_on_lost_fn *fn);
void pci_tell_lost(const struct pci_dev *physical);

// Whether the function's requests bear that id, as the platform sees them.
static inline bool pci_bears(const struct pci_dev *dev, uint32_t segment, uint16_t source)
{
    const struct pci_dev *seen = pci_visible(dev);
    return seen->segment == segment && (seen->bdf == source || seen->requester == source);
}

// Whether a function that is granted the arena bears it.
bool pci_is_driven(uint32_t segment, uint16_t source);
// Whether a domain's function may bear it.
bool pci_is_given(uint32_t segment, uint16_t source);

// Fills in `bars`, once: some functions that nobody drives have other registers where BARs should
// be, so this is for drivers, and what maps BARs calls it. Decoding is off meanwhile, for virtual
// functions that of all their siblings. Host bridges are left alone. Boot CPU.
void pci_size_bars(struct pci_dev *dev);

// Maps a memory BAR uncached, after checking that it is there and at least so large. No more than
// the larger of `least` and PCI_MAP_BYTES_MAX is mapped. Boot CPU.
#define PCI_MAP_BYTES_MAX (64 * MIB)
bool pci_map_bar(struct pci_dev *dev, unsigned bar, size_t least, volatile void **window,
                 struct problem *p);

// The same for `bytes` > 0 bytes at an offset, and no more than those. Boot CPU.
bool pci_map_bar_part(struct pci_dev *dev, unsigned bar, uint64_t offset, size_t bytes,
                      volatile void **window, struct problem *p);
