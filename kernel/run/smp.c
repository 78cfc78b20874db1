// SPDX-License-Identifier: BSD-2-Clause
// Starting the other CPUs by INIT and start-up IPIs (SDM vol. 3, 9.4.4 and 11.12).

#include "kernel/run/smp.h"

#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/mem/mem.h"
#include "kernel/mem/mem_init.h"
#include "kernel/mem/paging.h"
#include "kernel/run/desc.h"
#include "kernel/run/loop.h"
#include "kernel/run/tsc_sync.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/mce.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define INIT_WAIT_NS (10 * NS_PER_MS)
#define STARTUP_WAIT_NS (10 * NS_PER_MS) // before the second one
#define START_WAIT_NS (5 * NS_PER_S)     // a virtual machine's host may be busy
#define START_WAIT_MORE_NS                                                                         \
    (100 * NS_PER_MS) // after one that did not come: others may be missing, too
#define PARK_WAIT_NS (100 * NS_PER_MS)
#define NAMED_MOST 8 // APIC ids in one warning

// trampoline.asm
extern const char trampoline_start[], trampoline_end[], trampoline_params[];
struct trampoline_params {
    uint64_t cr3, cr4, cpu, entry, main;
};
extern const char secondary_entry[];
extern const char boot_stack_top[]; // linker.ld
extern uint32_t cpu_parked;         // park.asm
noreturn void cpu_park(void);

static struct trampoline_params *params; // in the trampoline's page
static uint64_t trampoline_page;
static smp_left after_loop;
static const struct madt *madt;
static const struct srat *srat;
static unsigned limit; // CPUs to use, without those that are kept
static struct {
    const uint64_t *places; // NULL: none
    uint16_t index[CPU_MAX];
} kept;

// CPUs of one fate, for one warning about all of them.
struct outsiders {
    unsigned count;
    uint32_t ids[NAMED_MOST];
};
static struct {
    struct outsiders not_started, not_synchronised;
    unsigned corrected;
    int64_t most_ahead; // of the corrected ones, in cycles, either way
} told;

static unsigned node_of(uint32_t apic_id)
{
    for (size_t i = 0; i < srat->cpus_count; i++)
        if (srat->cpus[i].apic_id == apic_id)
            return srat->cpus[i].node;
    return NODE_ANY;
}

void smp_keep_back(const uint64_t *places)
{
    kept.places = places;
    for (unsigned place = 0; place < CPU_MAX; place++)
        kept.index[place] = CPU_MAX;
}

unsigned smp_kept_index(unsigned place)
{
    return place < CPU_MAX ? kept.index[place] : CPU_MAX;
}

// The n-th of the machine, for the i-th entry.
static unsigned place_of(size_t i)
{
    size_t boot = 0;
    while (boot < madt->cpus_count && madt->cpus[boot].apic_id != boot_cpu.apic_id)
        boot++;
    return i == boot ? 0 : (unsigned)(i < boot ? i + 1 : i);
}

static bool is_kept(size_t i)
{
    unsigned place = kept.places ? place_of(i) : 0;
    return place && kept.places[place / 64] & BIT64(place % 64);
}

static size_t count_kept(void)
{
    size_t count = 0;
    for (size_t i = 0; i < madt->cpus_count; i++)
        count += is_kept(i);
    return count;
}

bool smp_prepare(const struct madt *m, const struct srat *nodes, unsigned most, struct problem *p)
{
    madt = m;
    srat = nodes;
    limit = most ? most : CPU_MAX;
    boot_cpu.apic_id = apic_id();
    boot_cpu.stack_top = (uint64_t)boot_stack_top;
    boot_cpu.node = node_of(boot_cpu.apic_id);
    size_t own = madt->cpus_count - count_kept();
    if (own >= most)
        return true;
    return problem_set(p, "cpus", "cpus=%u: this machine has %zu%s: ask for at most as many", most,
                       own, own < madt->cpus_count ? " besides those of domains" : "");
}

// First code in C on a secondary CPU: leaves the trampoline's tables, then the same steps as the
// boot CPU took. TSC first: the timer goes by whether it was adjusted.
noreturn static void start_secondary(void)
{
    struct cpu *cpu = this_cpu();
    write_cr3(paging_root());
    paging_set_cpu();
    desc_load(cpu);
    if (!tsc_sync_take_part())
        cpu_park();
    apic_init_cpu();
    mce_start_cpu();
    cpu->sleeping = cpu->leaving = false; // as it left off, when it comes back
    irq_start_cpu();
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
    interrupts_on();
    cpu_run_until(&cpu->leaving);
    after_loop(cpu);
    halt_forever();
}

// ---- one CPU ----

static bool not_started(const struct cpu *cpu, uint64_t wait_ns, struct problem *p)
{
    return problem_set(p, "cpu-not-started", "APIC id %u did not start within %llu ms",
                       cpu->apic_id, (unsigned long long)(wait_ns / NS_PER_MS));
}

// After INIT and its wait: SIPI, once more, and in.
static bool start(struct cpu *cpu, uint64_t wait_ns, struct tsc_sync *tsc, struct problem *p)
{
    uint8_t page = (uint8_t)(trampoline_page / PAGE_BYTES);
    tsc_sync_begin();
    apic_send_startup(cpu->apic_id, page);
    if (!tsc_sync_wait(STARTUP_WAIT_NS)) {
        apic_send_startup(cpu->apic_id, page);
        if (!tsc_sync_wait(wait_ns))
            return not_started(cpu, wait_ns, p);
    }
    if (!tsc_sync(cpuid(7, 0).b & CPUID_7_B_TSC_ADJUST, tsc))
        return not_started(cpu, wait_ns, p);
    tsc_sync_decide(tsc->agrees);
    if (!tsc->agrees)
        return problem_set(p, "tsc-not-synchronised",
                           "the TSC of APIC id %u is %lld cycles ahead of the boot CPU's",
                           cpu->apic_id, (long long)tsc->offset);
    return poll_until(__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE), START_WAIT_NS) ||
           not_started(cpu, wait_ns, p);
}

static bool start_on_trampoline(struct cpu *cpu, uint64_t wait_ns, struct tsc_sync *tsc,
                                struct problem *p)
{
    params->cpu = (uint64_t)cpu;
    bool ok = start(cpu, wait_ns, tsc, p);
    params->cpu = 0; // who comes late is parked
    if (!ok && strcmp(p->what, "cpu-not-started") == 0) {
        apic_send_init(cpu->apic_id); // lest it wake up late and take the next one's place
        __atomic_store_n(&cpu->online, false, __ATOMIC_SEQ_CST);
    }
    return ok;
}

bool smp_start_cpu(unsigned index, struct problem *p)
{
    struct tsc_sync tsc;
    apic_send_init(cpu_get(index)->apic_id);
    time_delay_ns(INIT_WAIT_NS);
    return start_on_trampoline(cpu_get(index), START_WAIT_NS, &tsc, p);
}

// ---- all CPUs ----

static void prepare_trampoline(uint64_t page_phys)
{
    char *page = (char *)(page_phys + HANDOFF_DIRECT_MAP);
    memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    params = (struct trampoline_params *)(page + (trampoline_params - trampoline_start));
    params->cr3 = paging_trampoline_root(page_phys);
    params->cr4 = read_cr4();
    params->entry = (uint64_t)secondary_entry;
    params->main = (uint64_t)start_secondary;
    trampoline_page = page_phys;
}

static struct cpu *new_cpu(uint32_t id)
{
    unsigned node = node_of(id);
    struct cpu *cpu = mem_alloc(sizeof(*cpu), alignof(struct cpu), node);
    cpu->self = cpu;
    cpu->index = cpu_total(); // taken by cpu_add() once it has come in
    cpu->apic_id = id;
    cpu->node = node;
    cpu->stack_top = paging_alloc_stack(node);
    desc_alloc_stacks(cpu);
    return cpu;
}

static void note(struct outsiders *o, uint32_t id)
{
    if (o->count < NAMED_MOST)
        o->ids[o->count] = id;
    o->count++;
}

static void note_correction(const struct tsc_sync *tsc)
{
    if (!tsc->adjusted)
        return;
    told.corrected++;
    int64_t size = tsc->offset < 0 ? -tsc->offset : tsc->offset;
    told.most_ahead = MAX(told.most_ahead, size);
}

// A CPU that can't be used leaves no gap: the next one gets its index.
static void try_cpu(size_t i)
{
    uint32_t id = madt->cpus[i].apic_id;
    struct problem p;
    struct tsc_sync tsc = { 0 };
    struct cpu *cpu = new_cpu(id);
    uint64_t wait = told.not_started.count ? START_WAIT_MORE_NS : START_WAIT_NS;
    if (start_on_trampoline(cpu, wait, &tsc, &p)) {
        note_correction(&tsc);
        if (is_kept(i)) {
            cpu_add_kept(cpu);
            kept.index[place_of(i)] = (uint16_t)cpu->index;
        } else {
            cpu_add(cpu);
        }
    } else {
        bool started = strcmp(p.what, "cpu-not-started") != 0;
        note(started ? &told.not_synchronised : &told.not_started, id);
    }
}

// What firmware has parked runs its code, in memory that we give out, whenever an SMI or NMI comes:
// INIT ends that, and the trampoline leads to a halt of ours where it is given no CPU.
static unsigned park(size_t first)
{
    uint32_t before = __atomic_load_n(&cpu_parked, __ATOMIC_ACQUIRE), sent = 0;
    for (unsigned times = 0; times < 2; times++) {
        sent = 0;
        for (size_t i = first; i < madt->cpus_count; i++)
            if (madt->cpus[i].apic_id != boot_cpu.apic_id && !is_kept(i)) {
                apic_send_startup(madt->cpus[i].apic_id, (uint8_t)(trampoline_page / PAGE_BYTES));
                sent++;
            }
        if (poll_until(__atomic_load_n(&cpu_parked, __ATOMIC_ACQUIRE) - before >= sent,
                       times ? PARK_WAIT_NS : STARTUP_WAIT_NS))
            return 0;
    }
    return sent - (__atomic_load_n(&cpu_parked, __ATOMIC_ACQUIRE) - before);
}

// ---- what people are told ----

static const char *ids_text(const struct outsiders *o, char *to, size_t bytes)
{
    size_t used = 0;
    for (unsigned i = 0; i < MIN(o->count, (unsigned)NAMED_MOST) && used < bytes; i++)
        used += (size_t)format_text(to + used, bytes - used, "%s%u", i ? ", " : "", o->ids[i]);
    if (o->count > NAMED_MOST && used < bytes)
        format_text(to + used, bytes - used, " ...");
    return to;
}

static void tell(unsigned not_parked)
{
    char ids[128];
    if (told.not_started.count)
        warn("cpu-not-started",
             "%u of the CPUs that the MADT names did not start (APIC id %s): left out; update the "
             "firmware",
             told.not_started.count, ids_text(&told.not_started, ids, sizeof(ids)));
    if (told.not_synchronised.count)
        warn(
            "tsc-not-synchronised",
            "the TSCs of %u CPUs (APIC id %s) differ from the boot CPU's and can't be set right by "
            "TSC_ADJUST: left out; update the firmware",
            told.not_synchronised.count, ids_text(&told.not_synchronised, ids, sizeof(ids)));
    if (told.corrected)
        warn("tsc-corrected",
             "the TSCs of %u CPUs differed from the boot CPU's, by up to %lld cycles: set right by "
             "TSC_ADJUST; update the firmware",
             told.corrected, (long long)told.most_ahead);
    if (not_parked)
        warn("cpu-not-parked",
             "%u of the CPUs that are not used did not start: left as INIT left "
             "them; update the firmware",
             not_parked);
}

void smp_start(const struct handoff *h, smp_left left)
{
    after_loop = left;
    for (size_t i = 0; i < madt->cpus_count; i++)
        if (madt->cpus[i].apic_id != boot_cpu.apic_id)
            apic_send_init(madt->cpus[i].apic_id);
    if (!h->trampoline) {
        if (limit > 1 && madt->cpus_count > 1)
            warn("no-trampoline", "firmware left no free page below 1 MiB to start CPUs from: only "
                                  "the boot CPU is used; update the firmware");
        return;
    }
    if (madt->cpus_count < 2)
        return;
    prepare_trampoline(h->trampoline);
    time_delay_ns(INIT_WAIT_NS); // once for all
    size_t i = 0;
    for (; i < madt->cpus_count && cpu_count() < limit; i++)
        if (madt->cpus[i].apic_id != boot_cpu.apic_id && !is_kept(i))
            try_cpu(i);
    for (size_t k = 0; k < madt->cpus_count; k++)
        if (is_kept(k))
            try_cpu(k);
    tell(park(i));
}
