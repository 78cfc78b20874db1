// SPDX-License-Identifier: BSD-2-Clause
// The attacker. Now and then, while the guest works, it tries one access: to what must never be reached
// (remapping table, posted-interrupt descriptors, queue, tables for DMA, registers), to all of RAM
// page by page in random order, and to the interrupt window. What the guest's tables grant to the
// sender is left alone, but for the first kind, and counted: the guest says how much it has granted. What a
// domain of the guest's reached by the sender's id is tried once that has nothing any more, at the domain's addresses.
#include "tools/qemu/attack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/qemu/entry_cache.h"
#include "tools/qemu/model.h"
#include "tools/qemu/qemu_device_abi.h"
#include "tools/qemu/rules.h"
#include "tools/qemu/translation.h"

#define INTERVAL_NS 100000 // of virtual time
#define PAGE 4096ull
#define LOOKS 64                        // at RAM's tables, for one access
#define RAM_PAGES ((4ull << 30) / PAGE) // what is no RAM is passed over
#define DOMAIN_MEMORY 0x100000000ull    // a domain's, as its functions see it (kernel/domain/abi.h)
#define DOMAIN_PIECE (2ull << 20)
#define DOMAIN_PIECES 64

enum target {
    TABLE,      // interrupt remapping
    DESCRIPTOR, // posted interrupts
    QUEUE,      // invalidation
    ROOT,
    CONTEXT,
    PAGES,
    REGISTERS, // of the unit, and of whatever else is no RAM below 4 GiB
    WINDOW,    // interrupts
    RAM,
    REVOKED, // RAM that the sender reached once
    TURNS,
    DOMAIN = TURNS, // in its place: that of the domain that had it
    TARGETS,
};

static const char *const names[TARGETS] = {
    [TABLE] = "remapping table",  [DESCRIPTOR] = "descriptors", [QUEUE] = "queue",
    [ROOT] = "root table",        [CONTEXT] = "context tables", [PAGES] = "page tables",
    [REGISTERS] = "registers",    [WINDOW] = "interrupts",      [RAM] = "memory",
    [REVOKED] = "revoked memory", [DOMAIN] = "domain memory",
};

struct attacker {
    const char *id;
    struct qemu_object *function;
    struct qemu_address_space *memory; // as it sees it
    uint16_t source;                   // just now
    uint8_t *granted;                  // so far: a bit for each page of RAM
    uint64_t pieces[DOMAIN_PIECES];    // of RAM, of the domain that has it, or had
    unsigned pieces_count;
};

static struct {
    struct attacker list[ATTACKERS];
    unsigned count;
    bool reads_only, revoked_only;
    uint64_t tries; // accesses, the next one's number
    uint64_t random;
    uint64_t granted_pages; // so far, to anyone
    struct {
        uint64_t tried, blocked, through;
    } of[TARGETS];
} attack = { .random = 0x9e3779b97f4a7c15ull };

void attack_add(const char *id)
{
    if (attack.count == ATTACKERS)
        refuse("attack=%s: there are %d attackers already", id, ATTACKERS);
    attack.list[attack.count++].id = id;
}

void attack_set_writes(bool on)
{
    attack.reads_only = !on;
}

void attack_set_revoked(bool on)
{
    attack.revoked_only = on;
}

static uint64_t next_random(void)
{
    attack.random ^= attack.random << 13;
    attack.random ^= attack.random >> 7;
    attack.random ^= attack.random << 17;
    return attack.random;
}

// ---- one access ----

static bool reaches(const struct attacker *a, uint64_t address, void *data, unsigned bytes,
                    bool write)
{
    struct qemu_attrs attrs = { .fields = (uint32_t)field_put(QEMU_ATTRS_REQUESTER_ID, a->source) };
    return qemu.address_space_rw(a->memory, address, attrs, data, bytes, write) == QEMU_OK;
}

// Whether RAM holds what was written, whatever QEMU says of the access.
static bool arrived(uint64_t address, const void *data, unsigned bytes)
{
    uint8_t found[16] = { 0 };
    return ram_at(address, bytes) &&
           qemu.address_space_rw(qemu.address_space_memory, address, QEMU_ATTRS_NONE, found, bytes,
                                 false) == QEMU_OK &&
           !memcmp(found, data, bytes);
}

// The address is the sender's, and leads or led to that memory.
static void try_memory(const struct attacker *a, enum target target, uint64_t address,
                       uint64_t memory)
{
    uint64_t data[2] = { next_random(), next_random() };
    bool write = !attack.reads_only && next_random() & 1;
    unsigned bytes = target == REGISTERS ? 4 : sizeof(data);
    attack.of[target].tried++;
    bool through = reaches(a, address, data, bytes, write);
    if (write && target != REGISTERS)
        through |= arrived(memory, data, bytes);
    attack.of[target].through += through;
    attack.of[target].blocked += !through;
    if (through && attack.of[target].through == 1)
        fprintf(stderr,
                MODEL_NAME ": attack: a %s of %s by %s at %#" PRIx64 " got through (told "
                           "once)\n",
                write ? "write" : "read", names[target], a->id, address);
}

static void try_at(const struct attacker *a, enum target target, uint64_t address)
{
    try_memory(a, target, address, address);
}

// ---- what is attacked ----

// Not one that the sender may have sent: those are the guest's to expect.
static void try_interrupt(const struct attacker *a)
{
    uint32_t data = (uint32_t)next_random();
    uint64_t offset = next_random() & 0xffffc;
    if (attack
            .revoked_only) // what isn't remappable is a fault of the sender's next owner, to whom it may belong already
        offset |= MSI_ADDRESS_FORMAT;
    struct irte e;
    struct msi_request request = msi_request_decode(offset, data);
    bool own = request.remappable && entry_read(request.index, &e) && (e.low & IRTE_P) &&
               field_get(IRTE_SID, e.high) == a->source;
    if (own)
        return;
    attack.of[WINDOW].tried++;
    bool through = reaches(a, INTERRUPT_WINDOW + offset, &data, 4, true);
    attack.of[WINDOW].through += through;
    attack.of[WINDOW].blocked += !through;
}

static bool was_granted(const struct attacker *a, uint64_t page)
{
    return a->granted[page / 8] & 1u << page % 8;
}

static void note_granted(const struct attacker *a, uint64_t page)
{
    bool known = false;
    for (unsigned i = 0; i < attack.count; i++)
        known |= was_granted(&attack.list[i], page);
    a->granted[page / 8] |= (uint8_t)(1u << page % 8);
    attack.granted_pages += !known;
}

static bool is_granted(const struct attacker *a, uint64_t page)
{
    return (stock_read(REG_GSTS) & GSTS_TES) && translate(a->source, page * PAGE).mapped;
}

// A page that isn't granted, where there is one among some.
static void try_ram(const struct attacker *a)
{
    uint64_t found = RAM_PAGES;
    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t page = next_random() % RAM_PAGES;
        if (!ram_at(page * PAGE, PAGE))
            continue;
        if (is_granted(a, page))
            note_granted(a, page);
        else
            found = page;
    }
    if (found < RAM_PAGES)
        try_at(a, RAM, found * PAGE + (next_random() & 0xff0));
}

static void try_revoked(const struct attacker *a)
{
    uint64_t page = next_random() % RAM_PAGES;
    for (uint64_t i = 0; i < RAM_PAGES && !was_granted(a, page); i++)
        page = (page + 1) % RAM_PAGES;
    if (was_granted(a, page) && !is_granted(a, page))
        try_at(a, REVOKED, page * PAGE + (next_random() & 0xff0));
}

static void note_domain(struct attacker *a)
{
    struct translation t = translate(a->source, DOMAIN_MEMORY);
    if (!(stock_read(REG_GSTS) & GSTS_TES) || !t.mapped)
        return;
    unsigned n = 0;
    for (; n < DOMAIN_PIECES && t.mapped;
         t = translate(a->source, DOMAIN_MEMORY + n * DOMAIN_PIECE))
        a->pieces[n++] = t.memory;
    a->pieces_count = n;
}

// It had a domain's memory, and has nothing. Not while that is being taken from it: the unit may know it still.
static bool is_revoked(const struct attacker *a)
{
    return a->pieces_count && rules_dma_is_absent(a->source);
}

static void try_domain(const struct attacker *a)
{
    uint64_t piece = next_random() % a->pieces_count;
    uint64_t offset = next_random() % DOMAIN_PIECE & ~0xfull;
    if (is_revoked(a))
        try_memory(a, DOMAIN, DOMAIN_MEMORY + piece * DOMAIN_PIECE + offset,
                   a->pieces[piece] + offset);
}

static void try_one(struct attacker *a)
{
    struct translation t = translate(a->source, 0);
    const uint64_t fixed[] = {
        [TABLE] = model.irta & IRTA_BASE,
        [DESCRIPTOR] = model.descriptor,
        [QUEUE] = stock_read64(REG_IQA) & IQA_BASE,
        [ROOT] = t.root,
        [CONTEXT] = t.context,
        [PAGES] = t.table,
        [REGISTERS] = UNIT_BASE + REG_IRTA,
    };
    enum target target = attack.tries++ % TURNS;
    if (target == WINDOW)
        try_interrupt(a);
    else if (target == REVOKED && a->pieces_count)
        try_domain(a);
    else if (target == REVOKED)
        try_revoked(a);
    else if (target == RAM || !fixed[target])
        try_ram(a);
    else
        try_at(a, target, fixed[target]);
}

static void look_at_all(void)
{
    for (unsigned i = 0; i < attack.count; i++) {
        attack.list[i].source = qemu_requester_id(attack.list[i].function);
        rules_dma_notice(attack.list[i].source);
        note_domain(&attack.list[i]);
    }
}

static struct attacker *whose_turn(void)
{
    return &attack.list[attack.tries / TURNS % attack.count];
}

// The next one waits until the last one's fault was read, so that none is lost: QEMU's unit has one
// record.
static bool may_strike(void)
{
    return (stock_read(REG_GSTS) & GSTS_IRES) && !(stock_read(REG_FSTS) & (FSTS_PPF | FSTS_PFO));
}

static void strike_one(void)
{
    model.attacked = true;
    try_one(whose_turn());
    model.attacked = false;
}

// The guest does nothing meanwhile: what it grants, it grants before or after.
static void strike_revoked(void)
{
    if (may_strike() && is_revoked(whose_turn()))
        strike_one();
    qemu_timer_again(INTERVAL_NS);
}

static void strike(void *opaque)
{
    look_at_all();
    if (attack.revoked_only && is_revoked(whose_turn())) {
        qemu_when_paused(strike_revoked); // sets the timer again
        return;
    }
    if (attack.revoked_only)
        attack.tries += TURNS; // the next one's turn
    else if (may_strike())
        strike_one();
    qemu_timer_again(INTERVAL_NS);
}

void attack_attach(void)
{
    if (!attack.count)
        return;
    for (unsigned i = 0; i < attack.count; i++) {
        struct attacker *a = &attack.list[i];
        a->function = qemu_find_function(a->id, &a->memory);
        if (!a->function)
            refuse("attack=%s: the machine has no PCI device of that id", a->id);
        a->granted = calloc(RAM_PAGES / 8, 1);
        if (!a->granted)
            refuse("out of memory");
    }
    qemu_timer_start(strike, INTERVAL_NS);
}

// ---- at exit ----

void attack_print_table(void)
{
    if (!attack.count)
        return;
    fprintf(stderr, "  %-20s %12s %12s %12s\n", "attacks on", "tried", "blocked", "through");
    for (enum target t = 0; t < TARGETS; t++)
        fprintf(stderr, "  %-20s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", names[t],
                attack.of[t].tried, attack.of[t].blocked, attack.of[t].through);
    fprintf(stderr, "  %-20s %12" PRIu64 "\n", "granted pages seen", attack.granted_pages);
}

void attack_print_json(FILE *out)
{
    if (!attack.count)
        return;
    fprintf(out, ",\"attack\":{\"granted_pages\":%" PRIu64, attack.granted_pages);
    for (enum target t = 0; t < TARGETS; t++)
        fprintf(out,
                ",\"%s\":{\"tried\":%" PRIu64 ",\"blocked\":%" PRIu64 ",\"through\":%" PRIu64 "}",
                names[t], attack.of[t].tried, attack.of[t].blocked, attack.of[t].through);
    fprintf(out, "}");
}
