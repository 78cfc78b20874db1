// SPDX-License-Identifier: BSD-2-Clause
// The machine around the modelled units: a DMAR table, a few PCI functions, CPUs with their
// descriptors, and what was reported to people and tools.
#pragma once

#include "kernel/base/report.h" // before cmocka, whose fail() is a macro

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dmar_build.h"
#include "drivers/vtd/vtd.h"
#include "kernel/acpi/acpi.h"
#include "kernel/base/cpus.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/posted.h"
#include "kernel/pci/pci.h"
#include "vtd_model.h"

// ---- tables and devices ----

static struct blob machine_dmar;
static bool machine_has_dmar;

const struct acpi_header *acpi_find(const char signature[4])
{
    return machine_has_dmar && !memcmp(signature, "DMAR", 4)
               ? (const struct acpi_header *)(const void *)machine_dmar.bytes
               : NULL;
}

const struct acpi_header *acpi_find_next(const char signature[4], const struct acpi_header *after)
{
    return NULL;
}

#define MACHINE_DEVS 5
static size_t machine_devs_count = MACHINE_DEVS; // a test's own may come behind
static struct pci_dev machine_devs[MACHINE_DEVS + 16] = {
    { .bdf = PCI_BDF(0, 4, 0), .requester = PCI_BDF(0, 4, 0), .name = "0000:00:04.0" },
    { .bdf = PCI_BDF(0, 5, 0), .requester = PCI_BDF(0, 5, 0), .name = "0000:00:05.0" },
    { .segment = 9,
      .bdf = PCI_BDF(0, 6, 0),
      .requester = PCI_BDF(0, 6, 0),
      .name = "0009:00:06.0" },
    { .bdf = PCI_BDF(3, 0, 0), .requester = PCI_BDF(3, 0, 0), .name = "0000:03:00.0" },
    { .bdf = PCI_BDF(3, 1, 0), .requester = PCI_BDF(3, 1, 0), .name = "0000:03:01.0" },
};

struct pci_dev *pci_get(size_t index)
{
    return index < machine_devs_count ? &machine_devs[index] : NULL;
}

static const struct pci_fence *machine_fence; // NULL: none was set

void pci_set_fence(const struct pci_fence *fence)
{
    machine_fence = fence;
}

// ---- CPUs ----

static unsigned machine_cpus = 2;
static bool machine_posts = true;
static struct pi_desc machine_pi[2];
static size_t machine_pi_offset;   // by which they lie elsewhere
static uint64_t machine_timer_due; // 0: not armed
static struct cpu_timer *machine_timer;

unsigned cpu_count(void)
{
    return machine_cpus;
}

unsigned cpu_total(void)
{
    return cpu_count();
}

uint32_t cpu_apic_id(unsigned cpu)
{
    return cpu ? 0x12345 : 0x301;
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    machine_timer = timer;
    machine_timer_due = due_ns;
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    machine_timer = NULL;
    machine_timer_due = 0;
}

struct pi_desc *irq_pi_desc(unsigned cpu)
{
    return machine_posts ? (void *)((uint8_t *)&machine_pi[cpu] + machine_pi_offset) : NULL;
}

enum irq_mode irq_get_mode(void)
{
    return IRQ_REMAPPED;
}

const char *irq_mode_name(enum irq_mode mode)
{
    return "remapped";
}

// ---- reports ----

static struct {
    unsigned errors, warnings, infos, objects;
    char error_what[64], warning_what[64], error[512], warning[512], info[512];
    char object[1024];
} told;
static void (*machine_on_object)(const char *text);

#define TOLD(field)                                                                                \
    do {                                                                                           \
        va_list args;                                                                              \
        va_start(args, fmt);                                                                       \
        vsnprintf(told.field, sizeof(told.field), fmt, args);                                      \
        va_end(args);                                                                              \
    } while (0)

void info(const char *fmt, ...)
{
    told.infos++;
    TOLD(info);
}

void warn(const char *what, const char *fmt, ...)
{
    told.warnings++;
    snprintf(told.warning_what, sizeof(told.warning_what), "%s", what);
    TOLD(warning);
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

void error(const char *what, const char *fmt, ...)
{
    told.errors++;
    snprintf(told.error_what, sizeof(told.error_what), "%s", what);
    TOLD(error);
}

void error_problem(const struct problem *p)
{
    error(p->what, "%s", p->message);
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    told.objects++;
    snprintf(told.object, sizeof(told.object), "%s", text);
    if (machine_on_object)
        machine_on_object(text);
}

// ---- set-up ----

#define MACHINE_BASE 0xfed90000ull
#define MACHINE_ECAP (M_ECAP_C | M_ECAP_QI | M_ECAP_IR | M_ECAP_EIM | M_ECAP_IRO(0x100))
#define MACHINE_CAP                                                                                \
    (M_CAP_PI | M_CAP_RECORDS(0x220, 4) | M_CAP_SAGAW(3) | M_CAP_SAGAW(4) | M_CAP_MGAW(48) |       \
     M_CAP_SLLPS(3) | M_CAP_ND(6))

// Units differ in when they do what they are told: as late as they may, seeing a write to their
// registers with the next read and taking time for each thing, or at once.
static bool machine_is_prompt;

static struct model_unit *machine_unit(unsigned i, uint64_t base)
{
    struct model_unit *m = model_reset(i, base, MACHINE_CAP, MACHINE_ECAP);
    m->delay = machine_is_prompt ? 0 : 3;
    m->lag = machine_is_prompt ? 0 : 2;
    m->pace = !machine_is_prompt;
    m->posts_writes = !machine_is_prompt;
    return m;
}

// One unit that can do everything.
static struct model_unit *machine_one_unit(void)
{
    model_reset_all();
    memset(&told, 0, sizeof(told));
    machine_cpus = 2;
    machine_posts = machine_has_dmar = true;
    machine_timer = NULL;
    machine_timer_due = 0;
    machine_pi_offset = 0;
    machine_on_object = NULL;
    machine_fence = NULL;
    vtd_set_dma(VTD_DMA_OPEN);
    memset(machine_pi, 0, sizeof(machine_pi));
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    blob_finish(&machine_dmar);
    return machine_unit(0, MACHINE_BASE);
}

static inline struct irq_place machine_place(const struct irq *irq)
{
    return (struct irq_place){ irq->cpu, irq->vector };
}

static void machine_enable(void)
{
    struct problem p;
    assert_true(vtd_init(&p));
    assert_true(vtd_enable(0xf2, 0x301, &p));
}

// Both kinds of units have to pass.
#define run_on_both_kinds(tests)                                                                   \
    (machine_is_prompt = false, cmocka_run_group_tests(tests, NULL, NULL)) +                       \
        (machine_is_prompt = true, cmocka_run_group_tests(tests, NULL, NULL))

#define assert_rules_kept(m) assert_string_equal((m)->violation, "")

// Fails with that problem in the test's own `p`.
#define assert_problem(call, id)                                                                   \
    do {                                                                                           \
        assert_false(call);                                                                        \
        assert_string_equal(p.what, id);                                                           \
    } while (0)
