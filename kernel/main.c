// SPDX-License-Identifier: BSD-2-Clause
// The boot steps in order. This file alone names concrete drivers and apps.

#include "apps/apps.h"
#include "drivers/nvme/nvme.h"
#include "drivers/vtd/vtd.h"
#include "kernel/acpi.h"
#include "kernel/apic.h"
#include "kernel/app.h"
#include "kernel/cmdline.h"
#include "kernel/desc.h"
#include "kernel/exit.h"
#include "kernel/handoff.h"
#include "kernel/ioapic.h"
#include "kernel/irq.h"
#include "kernel/mem.h"
#include "kernel/mem_init.h"
#include "kernel/paging.h"
#include "kernel/pci.h"
#include "kernel/percpu.h"
#include "kernel/report.h"
#include "kernel/screen.h"
#include "kernel/smp.h"
#include "kernel/symbols.h"
#include "kernel/time.h"
#include "kernel/time_init.h"
#include "kernel/trace.h"
#include "kernel/uart.h"
#include "kernel/x86.h"
#include "lib/string.h"

static const struct app *const apps[] = { &app_job, &app_sha256sum, &app_selftest, &app_burst,
                                          &app_crash };

static const struct option kernel_options[] = {
    { .name = "irq",
      .kind = OPTION_CHOICE,
      .fallback = "auto",
      .choices = "auto|adaptive|posted|remapped|poll|msi",
      .help = "how MSIs are delivered" },
    { .name = "cpus", .kind = OPTION_NUMBER, .min = 1, .max = CPU_MAX, .help = "CPUs to use" },
    { .name = "posted.loops",
      .kind = OPTION_NUMBER,
      .fallback = "3",
      .min = 1,
      .max = 1000,
      .help = "harvests per notification before ON is cleared" },
    { .name = "posted.preempt",
      .kind = OPTION_CHOICE,
      .fallback = "1",
      .choices = "0|1",
      .help = "timers and IPIs get in while a harvest runs handlers" },
    { .name = "posted.window",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1000000,
      .help = "microseconds between harvests by timer on a busy CPU; 0: none (adaptive)" },
    { .name = "idle",
      .kind = OPTION_CHOICE,
      .fallback = "hlt",
      .choices = "hlt|mwait",
      .help = "how an idle CPU sleeps; mwait watches the descriptor (adaptive)" },
    { .name = "idle.spin",
      .kind = OPTION_TIME,
      .fallback = "2ms",
      .max = 1000000,
      .help = "how long at most it looks on before it sleeps (adaptive)" },
    { .name = "nvme.timeout",
      .kind = OPTION_TIME,
      .fallback = "30s",
      .min = 1000,
      .max = 3600 * 1000000ull,
      .help = "how long a command may take" },
    { .name = "nvme.queues",
      .kind = OPTION_NUMBER,
      .fallback = "1",
      .min = 1,
      .max = VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1,
      .help = "queue pairs of each controller for each CPU" },
    { .name = "nvme.urgent",
      .kind = OPTION_CHOICE,
      .fallback = "0",
      .choices = "0|1",
      .help = "one more queue for each CPU, whose interrupt is urgent" },
    { .name = "trace",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = TRACE_ENTRIES_MAX,
      .help = "trace entries kept for each CPU, sent to COM2 after the run" },
    { .name = "app",
      .kind = OPTION_CHOICE,
      .fallback = "job",
      .choices = "job|sha256sum|selftest|burst|crash",
      .help = "what runs" },
    { .name = "exit",
      .kind = OPTION_CHOICE,
      .fallback = "poweroff",
      .choices = "poweroff|reboot|halt",
      .help = "what follows it" },
    { 0 },
};

static struct madt_cpu madt_cpus[CPU_MAX];
static struct srat_cpu srat_cpus[CPU_MAX];
static struct {
    struct madt madt;
    struct srat srat;
    struct fadt fadt;
    struct hpet_table hpet;
    bool has_fadt, has_hpet;
} tables = {
    .madt = { .cpus = madt_cpus, .cpus_max = CPU_MAX },
    .srat = { .cpus = srat_cpus, .cpus_max = CPU_MAX },
};

noreturn void kernel_main(uint64_t handoff_phys);

// ---- memory, and enough of the machine to report an error ----

static const struct handoff *take_over(uint64_t handoff_phys)
{
    const struct handoff *h = (const struct handoff *)(handoff_phys + HANDOFF_DIRECT_MAP);
    uart_init();
    if (h->magic != HANDOFF_MAGIC || h->bytes != sizeof(*h))
        fail("handoff", "the loader and the kernel are of different builds: build again");
    desc_init();
    desc_load(&boot_cpu); // its separate stacks follow: for now, exceptions use this one
    mem_init(h);
    paging_init(h);
    desc_alloc_stacks(&boot_cpu);
    mem_add_boot_ranges();
    symbols_init((const void *)(h->symtab_base + HANDOFF_DIRECT_MAP), h->symtab_bytes,
                 (const char *)(h->strtab_base + HANDOFF_DIRECT_MAP), h->strtab_bytes);
    screen_init(&h->framebuffer);
    return h;
}

// ---- command line ----

static const struct app *find_app(const struct cmdline *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(apps); i++)
        if (cmdline_is(c, "app", apps[i]->name))
            return apps[i];
    fail("cmdline", "app=: there is no such app");
}

// Twice: the first reading tells the app, whose own words the second one knows.
static const struct app *read_cmdline(const struct handoff *h, struct cmdline *c)
{
    struct problem p;
    if (h->cmdline_dropped)
        fail("cmdline-too-long", "the command line is %u bytes too long: at most %d fit",
             h->cmdline_dropped, HANDOFF_CMDLINE_BYTES - 1);
    if (memchr(h->cmdline, 0, sizeof(h->cmdline)) == NULL)
        fail("cmdline-too-long", "the command line has no end: build loader and kernel again");
    const struct option *lists[2] = { kernel_options };
    if (!cmdline_parse(h->cmdline, lists, 1, true, c, &p))
        fail_problem(&p);
    const struct app *app = find_app(c);
    lists[1] = app->options;
    if (!cmdline_parse(h->cmdline, lists, app->options ? 2 : 1, false, c, &p))
        fail_problem(&p);
    if (cmdline_is(c, "exit", "reboot"))
        exit_set(EXIT_REBOOT);
    else if (cmdline_is(c, "exit", "halt"))
        exit_set(EXIT_HALT);
    return app;
}

// ---- tables, clock and CPUs ----

static void read_tables(const struct handoff *h)
{
    struct problem p;
    if (!acpi_init(h->rsdp, &p))
        fail_problem(&p);
    const struct acpi_header *t = acpi_find("APIC");
    if (!t)
        fail("no-madt", "ACPI has no usable MADT (signature APIC): the CPUs can't be found");
    if (!madt_parse(t, t->length, &tables.madt, &p))
        fail_problem(&p);
    t = acpi_find("SRAT");
    if (t && !srat_parse(t, t->length, &tables.srat, &p)) {
        warn("%s: memory is taken as one node", p.message);
        tables.srat.cpus_count = tables.srat.memory_count = 0;
    }
    mem_set_nodes(&tables.srat);
    t = acpi_find("FACP");
    tables.has_fadt = t && fadt_parse(t, t->length, &tables.fadt, &p);
    if (tables.has_fadt)
        exit_init(&tables.fadt);
    t = acpi_find("HPET");
    tables.has_hpet = t && hpet_parse(t, t->length, &tables.hpet, &p);
}

static const char *start_cpus(const struct handoff *h, unsigned most)
{
    struct problem p;
    const char *clock;
    if (!time_init(tables.has_hpet ? &tables.hpet : NULL, tables.has_fadt ? &tables.fadt : NULL,
                   &clock, &p) ||
        !apic_check(&p))
        fail_problem(&p);
    apic_init_cpu();
    apic_timer_init();
    ioapic_mask_all(&tables.madt);
    if (!smp_prepare(&tables.madt, &tables.srat, most, &p))
        fail_problem(&p);
    interrupts_on();
    if (!smp_start(h, &p))
        fail_problem(&p);
    return clock;
}

// What the CPU touches all the time: its own structure, and its stacks.
static void report_nodes(struct json *j, const struct cpu *cpu)
{
    const volatile void *pieces[2 + ARRAY_SIZE(cpu->tss.ist)] = { cpu };
    size_t count = 1;
    pieces[count++] = (const char *)cpu->stack_top - 1;
    for (size_t i = 0; i < ARRAY_SIZE(cpu->tss.ist); i++)
        if (cpu->tss.ist[i])
            pieces[count++] = (const char *)cpu->tss.ist[i] - 1;
    mem_report_nodes(j, pieces, count);
}

static void print_cpu(unsigned i)
{
    char line[256];
    struct json j;
    json_begin(&j, line, sizeof(line), "cpu");
    json_u64(&j, "cpu", i);
    json_u64(&j, "apic_id", cpu_apic_id(i));
    if (cpu_node(i) != NODE_ANY)
        json_u64(&j, "node", cpu_node(i));
    report_nodes(&j, cpu_get(i));
    report_json(&j);
}

static void print_platform(const char *clock)
{
    char line[512];
    struct json j;
    uint64_t mhz = time_tsc_hz() / 1000000;
    const char *timer = apic_timer_is_tsc_deadline() ? "TSC deadline" : "local APIC counter";
    info("%u CPU%s, %llu MiB of memory, TSC %llu MHz by %s, timer: %s", cpu_count(),
         cpu_count() == 1 ? "" : "s", (unsigned long long)(mem_total_bytes() / MIB),
         (unsigned long long)mhz, clock, timer);
    json_begin(&j, line, sizeof(line), "platform");
    json_u64(&j, "cpus", cpu_count());
    json_u64(&j, "memory", mem_total_bytes());
    json_u64(&j, "tsc_hz", time_tsc_hz());
    json_text(&j, "tsc_source", clock);
    json_text(&j, "timer", timer);
    report_json(&j);
    for (unsigned i = 0; i < cpu_count(); i++)
        print_cpu(i);
}

// ---- interrupts ----

static enum irq_mode choose_mode(const struct cmdline *c)
{
    struct problem p;
    if (cmdline_is(c, "irq", "remapped"))
        return IRQ_REMAPPED;
    if (!vtd_can_post(&p)) {
        if (!cmdline_is(c, "irq", "auto"))
            fail_problem(&p);
        info("irq=auto: remapped, since %s", p.message);
        return IRQ_REMAPPED;
    }
    if (cmdline_is(c, "irq", "poll"))
        return IRQ_POLL;
    return cmdline_is(c, "irq", "posted") ? IRQ_POSTED : IRQ_ADAPTIVE;
}

static bool wants_mwait(const struct cmdline *c, enum irq_mode mode)
{
    if (mode != IRQ_ADAPTIVE || !cmdline_is(c, "idle", "mwait"))
        return false;
    if (!(cpuid(1, 0).c & BIT32(3)))
        fail("no-mwait", "idle=mwait: the CPU has no MONITOR/MWAIT (CPUID 1 ECX bit 3 is 0): use "
                         "idle=hlt, or turn it on in the firmware's set-up");
    return true;
}

// Nothing is wrong, only something isn't there: plain MSIs don't need it.
static bool is_lacking(const struct problem *p)
{
    return strcmp(p->what, "no-vtd") == 0 || strncmp(p->what, "vtd-no-", 7) == 0;
}

static void start_irqs(const struct cmdline *c)
{
    struct problem p;
    bool plain = cmdline_is(c, "irq", "msi");
    // Units that firmware left remapping would block plain MSIs, so they are taken over all the same.
    bool found = vtd_init(&p), lacking = !found && is_lacking(&p);
    if (lacking && !plain)
        fail(p.what, "%s; or run with irq=msi, without remapping", p.message);
    if (!found && !lacking)
        fail_problem(&p);
    enum irq_mode mode = plain ? IRQ_MSI : choose_mode(c);
    bool posts = mode == IRQ_POSTED || mode == IRQ_ADAPTIVE || mode == IRQ_POLL;
    if (!plain && !vtd_enable(VECTOR_FAULT, cpu_apic_id(0), &p))
        fail_problem(&p);
    irq_init(&(struct irq_config){
        .mode = mode,
        .chip = plain ? &irq_chip_msi : vtd_chip_remapped(),
        .chip_post = posts ? vtd_chip_posted() : NULL,
        .loops = (unsigned)cmdline_number(c, "posted.loops"),
        .preempt = cmdline_is(c, "posted.preempt", "1"),
        .window_ns = cmdline_number(c, "posted.window") * NS_PER_US,
        .spin_ns = cmdline_number(c, "idle.spin") * NS_PER_US,
        .mwait = wants_mwait(c, mode),
    });
    irq_set_fault_handler(vtd_report_faults);
    if (!plain)
        vtd_print();
}

static void report_apic_errors(void)
{
    for (unsigned i = 0; i < cpu_count(); i++)
        if (cpu_get(i)->apic_errors)
            warn("CPU %u: its local APIC reports errors (ESR 0x%llx; SDM vol. 3, 11.5.3)", i,
                 (unsigned long long)cpu_get(i)->apic_errors);
}

static void report_stacks(void)
{
    for (unsigned i = 0; i < cpu_count(); i++) {
        char line[128];
        struct json j;
        unsigned used = smp_stack_used(i);
        json_begin(&j, line, sizeof(line), "stack");
        json_u64(&j, "cpu", i);
        json_u64(&j, "bytes", STACK_BYTES);
        json_u64(&j, "used", used);
        report_json(&j);
        if (used > STACK_BYTES / 4 * 3)
            warn("CPU %u has used %u of its stack's %u bytes: please report this", i, used,
                 STACK_BYTES);
    }
}

// ---- the whole ----

noreturn void kernel_main(uint64_t handoff_phys)
{
    static struct cmdline cmdline;
    struct problem p;

    const struct handoff *h = take_over(handoff_phys);
    info("Onebell");
    const struct app *app = read_cmdline(h, &cmdline);
    read_tables(h);
    print_platform(start_cpus(h, (unsigned)cmdline_number(&cmdline, "cpus")));
    if (!pci_init(&p))
        fail_problem(&p);
    start_irqs(&cmdline);
    trace_start((unsigned)cmdline_number(&cmdline, "trace"));
    nvme_set_timeout(cmdline_number(&cmdline, "nvme.timeout") / 1000);
    nvme_set_queues((unsigned)cmdline_number(&cmdline, "nvme.queues"));
    nvme_set_urgent(cmdline_is(&cmdline, "nvme.urgent", "1"));
    exit_set_cleanup(nvme_shutdown);
    nvme_init();
    nvme_print();
    info("irq=%s, up %llu ms after firmware", irq_mode_name(irq_get_mode()),
         (unsigned long long)((rdtsc() - h->tsc_exit) * 1000 / time_tsc_hz()));

    app->run(&cmdline);
    trace_stop();
    trace_dump();

    exit_clean_up();
    report_apic_errors();
    report_stacks();
    exit_run(!report_failed());
}
