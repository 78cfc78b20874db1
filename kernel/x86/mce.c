// SPDX-License-Identifier: BSD-2-Clause
// Banks of machine-check registers: read, reported and cleared (SDM vol. 3, 16.3).

#include "kernel/x86/mce.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"

#define CPUID_1_D_MCE BIT32(7)
#define CPUID_1_D_MCA BIT32(14)
#define WARNINGS_MOST 10 // one by one; a component that fails goes on failing

static unsigned warnings; // so far, of all CPUs

static bool has_banks(void)
{
    uint32_t features = cpuid(1, 0).d;
    return features & CPUID_1_D_MCE && features & CPUID_1_D_MCA;
}

static unsigned bank_count(void)
{
    return has_banks() ? (unsigned)field_get(MCG_CAP_COUNT, rdmsr(MSR_MCG_CAP)) : 0;
}

static bool read_bank(unsigned i, struct mce_bank *bank)
{
    uint64_t status = rdmsr(MSR_MC_STATUS(i));
    *bank = (struct mce_bank){ .bank = i, .status = status };
    if (!(status & MC_STATUS_VALID))
        return false;
    if (status & MC_STATUS_ADDRV)
        bank->addr = rdmsr(MSR_MC_ADDR(i));
    if (status & MC_STATUS_MISCV)
        bank->misc = rdmsr(MSR_MC_MISC(i));
    return true;
}

void mce_read(struct mce_log *log)
{
    *log = (struct mce_log){ .mcg_status = has_banks() ? rdmsr(MSR_MCG_STATUS) : 0 };
    for (unsigned i = 0, banks = bank_count(); i < banks && log->count < MCE_KEPT; i++)
        log->count += read_bank(i, &log->banks[log->count]);
}

// ---- what people and tools are told ----

static void send_json(const struct mce_bank *b, const char *what)
{
    char line[256];
    struct json j;
    json_begin(&j, line, sizeof(line), "machine_check");
    json_text(&j, "what", what);
    json_u64(&j, "cpu", cpu_index());
    json_u64(&j, "bank", b->bank);
    json_u64(&j, "status", b->status);
    json_u64(&j, "addr", b->addr);
    json_u64(&j, "misc", b->misc);
    report_json(&j);
}

static void tell(const struct mce_bank *b, const char *what, const char *text)
{
    send_json(b, what);
    unsigned before = __atomic_fetch_add(&warnings, 1, __ATOMIC_RELAXED);
    if (before < WARNINGS_MOST)
        warn(what, "CPU %u, machine-check bank %u: STATUS %016llx ADDR %016llx MISC %016llx: %s%s",
             cpu_index(), b->bank, (unsigned long long)b->status, (unsigned long long)b->addr,
             (unsigned long long)b->misc, text,
             before + 1 == WARNINGS_MOST ? " (further ones are told as JSON alone)" : "");
}

// ---- start ----

// All of them, whatever firmware chose: an error that isn't logged can't be told.
static void enable(unsigned banks)
{
    if (rdmsr(MSR_MCG_CAP) & MCG_CAP_CTL)
        wrmsr(MSR_MCG_CTL, ~0ull);
    for (unsigned i = 0; i < banks; i++)
        wrmsr(MSR_MC_CTL(i), ~0ull);
}

void mce_start_cpu(void)
{
    unsigned banks = bank_count();
    struct mce_bank bank;
    for (unsigned i = 0; i < banks; i++) {
        if (read_bank(i, &bank))
            tell(&bank, "machine-check-left",
                 "logged before this run, by an earlier boot or in firmware: the hardware may be "
                 "failing");
        wrmsr(MSR_MC_STATUS(i), 0);
    }
    if (!banks)
        return;
    wrmsr(MSR_MCG_STATUS, 0); // with MCIP left set the next one would shut the CPU down
    enable(banks);
}

// ---- while it runs ----

// An uncorrected one that is neither signalled nor says that the CPU's state is lost needs no
// action (SDM vol. 3, 16.6.3); without recovery (SER_P) every uncorrected one is signalled.
bool mce_is_silent(uint64_t status, uint64_t mcg_cap)
{
    if (!(status & MC_STATUS_VALID))
        return false;
    return !(status & MC_STATUS_UC) ||
           (mcg_cap & MCG_CAP_SER && !(status & (MC_STATUS_PCC | MC_STATUS_S)));
}

static const char *text_of(uint64_t status)
{
    if (status & MC_STATUS_UC)
        return "an error that was not corrected, but needs no action: look at this machine's "
               "memory";
    return status & MC_STATUS_OVER ? "corrected errors: the hardware may begin to fail"
                                   : "a corrected error: the hardware may begin to fail";
}

void mce_poll(void)
{
    unsigned banks = bank_count();
    struct mce_bank bank;
    for (unsigned i = 0; i < banks; i++)
        if (read_bank(i, &bank) && mce_is_silent(bank.status, rdmsr(MSR_MCG_CAP))) {
            wrmsr(MSR_MC_STATUS(i), 0);
            tell(&bank, "machine-check-corrected", text_of(bank.status));
        }
}
