// SPDX-License-Identifier: BSD-2-Clause
// The boot steps in order. This file alone names concrete drivers.

#include "drivers/dsa/dsa.h"
#include "drivers/nvme/give.h"
#include "drivers/nvme/nvme.h"
#include "drivers/vmd/vmd.h"
#include "drivers/vtd/vtd.h"
#include "init/checks.h"
#include "init/consoles.h"
#include "init/ending.h"
#include "init/loader_warnings.h"
#include "init/options.h"
#include "init/summary.h"
#include "init/tables.h"
#include "kernel/base/console.h"
#include "kernel/base/firmware.h"
#include "kernel/base/percpu.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/result.h"
#include "kernel/base/screen.h"
#include "kernel/base/symbols.h"
#include "kernel/base/verdict.h"
#include "kernel/cpu/mce_watch.h"
#include "kernel/cpu/trace.h"
#include "kernel/domain/domain.h"
#include "kernel/domain/ring.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem_init.h"
#include "kernel/mem/paging.h"
#include "kernel/pci/pci.h"
#include "kernel/run/block.h"
#include "kernel/run/console_pump.h"
#include "kernel/run/desc.h"
#include "kernel/run/exit.h"
#include "kernel/run/hotplug.h"
#include "kernel/run/machine.h"
#include "kernel/run/smp.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/ioapic.h"
#include "kernel/x86/mce.h"
#include "kernel/x86/ps2.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "kernel/x86/vectors.h"
#include "lib/string.h"

noreturn void kernel_main(uint64_t handoff_phys);

// ---- memory, and enough of the machine to report an error ----

static void start_screen(const struct handoff_framebuffer *fb)
{
    uint64_t bytes = canvas_bytes(fb);
    screen_init(fb, bytes ? mem_map_screen(fb->base, bytes) : NULL);
}

static const struct handoff *take_over(uint64_t handoff_phys)
{
    const struct handoff *h = (const struct handoff *)(handoff_phys + HANDOFF_DIRECT_MAP);
    static const struct console_choice usual;
    bool same = h->magic == HANDOFF_MAGIC && h->bytes == sizeof(*h);
    console_init(same ? &h->console : &usual);
    report_set_end(exit_failed);
    if (same && h->kept_base)
        report_keep((struct kept_block *)(h->kept_base + HANDOFF_DIRECT_MAP));
    if (!same)
        fail("handoff", "the loader and the kernel are of different builds: build again");
    firmware_note(h);
    desc_init();
    ring_init();
    desc_load(&boot_cpu); // its separate stacks follow: for now, exceptions use this one
    mem_init(h);
    paging_init(h);
    desc_alloc_stacks(&boot_cpu);
    consoles_open_memory();
    symbols_init((const void *)(h->symtab_base + HANDOFF_DIRECT_MAP), h->symtab_bytes,
                 (const char *)(h->strtab_base + HANDOFF_DIRECT_MAP), h->strtab_bytes);
    if (console_on_screen(CONSOLE_TEXT) || console_on_screen(CONSOLE_JSON))
        start_screen(&h->framebuffer);
    return h;
}

// ---- how the run ends: in that order, for what is turned off last serves what goes before ----

static void clean_up(void)
{
    domains_end();
    nvme_shutdown();
    dsa_shutdown();
    vmd_shutdown();
    vtd_hand_back();
}

// ---- clocks and CPUs ----

static void set_nodes(const struct srat *srat)
{
    for (size_t i = 0; i < srat->memory_count; i++)
        mem_set_node(srat->memory[i].base, srat->memory[i].bytes, srat->memory[i].node);
}

// Returns what the TSC was measured by.
static const char *start_cpus(const struct handoff *h, const struct tables *t, unsigned most)
{
    struct problem p;
    const char *clock;
    if (!time_init(t->has_hpet ? &t->hpet : NULL, t->has_fadt ? &t->fadt : NULL, &clock, &p) ||
        !apic_check(&p))
        fail_problem(&p);
    apic_timer_init();
    apic_init_cpu();
    mce_start_cpu();
    tables_add_boot_cpu(apic_id());
    apic_take_nmis(tables_nmi_lint(apic_id()));
    ioapic_mask_all(&t->madt);
    if (!smp_prepare(&t->madt, &t->srat, most, &p))
        fail_problem(&p);
    interrupts_on();
    smp_start(h, hotplug_halt);
    return clock;
}

// ---- interrupts ----

static enum irq_mode choose_mode(const struct cmdline *c)
{
    struct problem p;
    if (cmdline_is(c, "irq", "remapped"))
        return IRQ_REMAPPED;
    if (cmdline_is(c, "irq", "auto")) {
        if (vtd_can_post(false, &p))
            return IRQ_ADAPTIVE;
        info("irq=auto: remapped, since %s", p.message);
        return IRQ_REMAPPED;
    }
    if (!vtd_can_post(true, &p))
        fail_problem(&p);
    if (cmdline_is(c, "irq", "poll"))
        return IRQ_POLL;
    return cmdline_is(c, "irq", "posted") ? IRQ_POSTED : IRQ_ADAPTIVE;
}

// The fence stands on the units' queues, which irq=msi leaves off.
static enum vtd_dma choose_dma(const struct cmdline *c, bool plain)
{
    if (plain || cmdline_is(c, "dma", "open"))
        return VTD_DMA_OPEN;
    return cmdline_is(c, "dma", "rmrr") ? VTD_DMA_RMRR : VTD_DMA_FENCE;
}

static bool can_post(bool plain, struct problem *p)
{
    if (plain)
        return problem_set(p, "irq-mode", "irq=msi leaves remapping off");
    return vtd_can_post(true, p);
}

static bool is_driven(const struct pci_dev *dev)
{
    return nvme_drives(dev) || dsa_drives(dev);
}

// Units that firmware left remapping would block plain MSIs too, so they are taken over in each mode.
static void start_irqs(const struct cmdline *c)
{
    static struct problem no_post;
    struct problem p;
    bool plain = cmdline_is(c, "irq", "msi");
    if (plain)
        checks_plain_msi();
    vtd_set_driven(is_driven);
    vtd_set_dma(choose_dma(c, plain));
    if (!vtd_init(&p)) {
        if (!vtd_is_lacking(&p))
            fail_problem(&p);
        if (!plain)
            fail(p.what, "%s; or run with irq=msi, without remapping", p.message);
    }
    enum irq_mode mode = plain ? IRQ_MSI : choose_mode(c);
    if (!plain && !vtd_enable(VECTOR_FAULT, cpu_apic_id(0), &p))
        fail_problem(&p);
    irq_init(&(struct irq_config){
        .mode = mode,
        .chip = plain ? &irq_chip_msi : &vtd_chip_remapped,
        .chip_post = can_post(plain, &no_post) ? &vtd_chip_posted : NULL,
        .no_post = &no_post,
        .loops = (unsigned)cmdline_number(c, "posted.loops"),
        .preempt = cmdline_is(c, "posted.preempt", "1"),
        .rate = cmdline_number(c, "posted.rate"),
        .window_ns = cmdline_number(c, "posted.window") * NS_PER_US,
        .spin_ns = cmdline_number(c, "idle.spin") * NS_PER_US,
        .mwait = checks_mwait(c, mode),
    });
    irq_set_fault_handler(vtd_report_faults);
    if (!plain)
        vtd_print();
}

// ---- the whole ----

static const struct option *const drivers_options[] = { nvme_options, dsa_options, NULL };

noreturn void kernel_main(uint64_t handoff_phys)
{
    static struct cmdline cmdline;
    struct problem p;

    const struct handoff *h = take_over(handoff_phys);
    info("Onebell");
    loader_warnings(h);
    const struct app *app = options_read(h, drivers_options, &cmdline);
    ending_choose(app, &cmdline);
    result_set_app(app->name);
    if (cmdline_number(&cmdline, "nobigstatus"))
        verdict_leave_word_out();
    const struct tables *tables = tables_read(h);
    set_nodes(&tables->srat);
    domains_read(&cmdline);
    ending_read_tables(tables);
    machine_set_smbios(h->smbios);
    summary_platform(start_cpus(h, tables, (unsigned)cmdline_number(&cmdline, "cpus")));
    if (tables->has_fadt && tables->fadt.may_have_8042)
        ps2_init();
    if (!pci_init(&p))
        fail_problem(&p);
    consoles_open_pci();
    vmd_init();
    pci_mark_left_masters(h->master, h->masters);
    pci_stop_masters();
    pci_set_nodes(tables->srat.devices, tables->srat.devices_count);
    start_irqs(&cmdline);
    mem_add_boot_ranges(); // no CPU is in firmware's hands any more, and no unit looks into its tables
    mce_watch_start();
    trace_start((unsigned)cmdline_number(&cmdline, "trace"));
    exit_set_cleanup(clean_up);
    const struct cmdline_value *writable = cmdline_get(&cmdline, "allow-write");
    block_allow_writes(writable->text, writable->length);
    nvme_configure(&cmdline);
    nvme_init();
    nvme_print();
    if (domains_are_asked_for())
        nvme_give_start();
    dsa_init(&cmdline);
    vtd_fence_print();
    checks_allow_write(&cmdline);
    info("irq=%s, up %llu ms after firmware", irq_mode_name(irq_get_mode()),
         (unsigned long long)((rdtsc() - h->tsc_exit) * 1000 / time_tsc_hz()));

    console_pump_start();
    domains_start(h);
    app->run(&cmdline);
    domains_wait();
    ending_run_monitor(app, &cmdline);
    trace_stop();
    trace_dump();

    exit_clean_up();
    summary_end();
    exit_run(!report_failed());
}
