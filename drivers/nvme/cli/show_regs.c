// SPDX-License-Identifier: BSD-2-Clause
// show-regs. INTMS and INTMC are not to be accessed with MSI-X on (3.1.3.3), so they are left out.
#include "drivers/nvme/cli/show.h"
#include "drivers/nvme/nvme_show_regs.h"
#include "lib/format.h"
#include "lib/string.h"

#define REGS_WIDTH 8
#define VALUE_BYTES 80

enum form {
    WORD,    // one of words[]; past their end it is reserved
    DEC,     // plus `base`
    HEX,     // moved down
    ADDRESS, // where it is
    BYTES,   // 2 to its power, times 2 to the power of `base`
    MS,      // 500 ms units
    SECONDS, // the same
    VERSION,
};

struct field {
    const char *name;
    uint64_t mask;
    enum form form;
    unsigned base;
    const char *const *words;
    unsigned count;
};

#define WORDS(name, mask, words) { name, mask, WORD, 0, words, ARRAY_SIZE(words) }
#define NUMBER(name, mask, form, base) { name, mask, form, base, NULL, 0 }

// ---- words ----

static const char *const supported[] = { "Not Supported", "Supported" };
static const char *const enabled[] = { "Disabled", "Enabled" };
static const char *const not_enabled[] = { "Not Enabled", "Enabled" };
static const char *const enforced[] = { "Enforced", "Not Enforced" };
static const char *const yes[] = { "No", "Yes" };
static const char *const truth[] = { "False", "True" };
static const char *const nvm_set[] = { "NVM command set is Not Supported",
                                       "NVM command set is Supported" };
static const char *const weighted[] = {
    "Weighted Round Robin with Urgent Priority Class is Not Supported",
    "Weighted Round Robin with Urgent Priority Class is Supported"
};
static const char *const shutdowns[] = { "No notification", "Normal shutdown", "Abrupt shutdown" };
static const char *const arbitrations[8] = {
    [0] = "Round Robin", [1] = "Weighted Round Robin with Urgent Priority", [7] = "Vendor Specific"
};
static const char *const command_sets[8] = {
    [0] = "NVM Command Set", [6] = "All supported I/O Command Sets", [7] = "Admin Command Set only"
};
static const char *const shutdown_states[] = { "Normal operation", "Shutdown processing occurring",
                                               "Shutdown processing complete" };
static const char *const buffer_units[] = { "4 KB",   "64 KB", "1 MB", "16 MB",
                                            "256 MB", "4 GB",  "64 GB" };
static const char *const boot_reads[] = { "No Boot Partition read operation requested",
                                          "Boot Partition read in progress",
                                          "Boot Partition read completed successfully",
                                          "Error completing Boot Partition read" };
static const char *const time_units[] = { "500 milliseconds", "minutes" };
static const char *const ready[] = { "Disabled", "Ready" };
static const char *const healths[] = { "Normal Operation", "Restore Error", "Read Only",
                                       "Unreliable" };
static const char *const bypasses[] = { "may bypass", "shall bypass" };
static const char *const sizes[] = { "Bytes", "One KB", "One MB", "One GB" };
static const char *const rates[] = { "Bytes/second", "One KB/second", "One MB/second",
                                     "One GB/second" };

// ---- fields, in the order in which they are shown ----

static const struct field cap[] = {
    WORDS("Controller Ready With Media Support (CRWMS)", NVME_CAP_CRWMS, supported),
    WORDS("Controller Ready Independent of Media Support (CRIMS)", NVME_CAP_CRIMS, supported),
    WORDS("Controller Memory Buffer Supported (CMBS)", NVME_CAP_CMBS, supported),
    WORDS("Persistent Memory Region Supported (PMRS)", NVME_CAP_PMRS, supported),
    NUMBER("Memory Page Size Maximum (MPSMAX)", NVME_CAP_MPSMAX, BYTES, 12),
    NUMBER("Memory Page Size Minimum (MPSMIN)", NVME_CAP_MPSMIN, BYTES, 12),
    WORDS("Boot Partition Support (BPS)", NVME_CAP_BPS, yes),
    WORDS("Command Sets Supported (CSS)", NVME_CAP_CSS_NVM, nvm_set),
    WORDS("One or more I/O Command Sets (CSS)", NVME_CAP_CSS_ALL, supported),
    WORDS("Only Admin Command Set (CSS)", NVME_CAP_CSS_ADMIN, supported),
    WORDS("NVM Subsystem Reset Supported (NSSRS)", NVME_CAP_NSSRS, yes),
    NUMBER("Doorbell Stride (DSTRD)", NVME_CAP_DSTRD, BYTES, 2),
    NUMBER("Timeout (TO)", NVME_CAP_TO, MS, 0),
    WORDS("Arbitration Mechanism Supported (AMS)", NVME_CAP_AMS_WRR, weighted),
    WORDS("Contiguous Queues Required (CQR)", NVME_CAP_CQR, yes),
    NUMBER("Maximum Queue Entries Supported (MQES)", NVME_CAP_MQES, DEC, 1),
};
static const struct field vs[] = {
    NUMBER("NVMe specification", NVME_VS_MJR | NVME_VS_MNR | NVME_VS_TER, VERSION, 0),
};
static const struct field cc[] = {
    WORDS("Controller Ready Independent of Media Enable (CRIME)", NVME_CC_CRIME, enabled),
    NUMBER("I/O Completion Queue Entry Size (IOCQES)", NVME_CC_IOCQES, BYTES, 0),
    NUMBER("I/O Submission Queue Entry Size (IOSQES)", NVME_CC_IOSQES, BYTES, 0),
    WORDS("Shutdown Notification (SHN)", NVME_CC_SHN, shutdowns),
    WORDS("Arbitration Mechanism Selected (AMS)", NVME_CC_AMS, arbitrations),
    NUMBER("Memory Page Size (MPS)", NVME_CC_MPS, BYTES, 12),
    WORDS("I/O Command Set Selected (CSS)", NVME_CC_CSS, command_sets),
    WORDS("Enable (EN)", NVME_CC_EN, yes),
};
static const struct field csts[] = {
    WORDS("Processing Paused (PP)", NVME_CSTS_PP, yes),
    WORDS("NVM Subsystem Reset Occurred (NSSRO)", NVME_CSTS_NSSRO, yes),
    WORDS("Shutdown Status (SHST)", NVME_CSTS_SHST, shutdown_states),
    WORDS("Controller Fatal Status (CFS)", NVME_CSTS_CFS, truth),
    WORDS("Ready (RDY)", NVME_CSTS_RDY, yes),
};
static const struct field nssr[] = {
    NUMBER("NVM Subsystem Reset Control (NSSRC)", BITS32(31, 0), DEC, 0),
};
static const struct field crto[] = {
    NUMBER("CRIMT", NVME_CRTO_CRIMT, SECONDS, 0),
    NUMBER("CRWMT", NVME_CRTO_CRWMT, SECONDS, 0),
};
static const struct field aqa[] = {
    NUMBER("Admin Completion Queue Size (ACQS)", NVME_AQA_ACQS, DEC, 1),
    NUMBER("Admin Submission Queue Size (ASQS)", NVME_AQA_ASQS, DEC, 1),
};
static const struct field asq[] = {
    NUMBER("Admin Submission Queue Base (ASQB)", NVME_ASQ_ASQB, ADDRESS, 0),
};
static const struct field acq[] = {
    NUMBER("Admin Completion Queue Base (ACQB)", NVME_ACQ_ACQB, ADDRESS, 0),
};
static const struct field cmbloc[] = {
    NUMBER("Offset (OFST)", NVME_CMBLOC_OFST, HEX, 0),
    NUMBER("CMB Queue Dword Alignment (CQDA)", NVME_CMBLOC_CQDA, DEC, 0),
    WORDS("CMB Data Metadata Mixed Memory Support (CDMMMS)", NVME_CMBLOC_CDMMMS, enforced),
    WORDS("CMB Data Pointer and Command Independent Locations Support (CDPCILS)",
          NVME_CMBLOC_CDPCILS, enforced),
    WORDS("CMB Data Pointer Mixed Locations Support (CDPMLS)", NVME_CMBLOC_CDPMLS, enforced),
    WORDS("CMB Queue Physically Discontiguous Support (CQPDS)", NVME_CMBLOC_CQPDS, enforced),
    WORDS("CMB Queue Mixed Memory Support (CQMMS)", NVME_CMBLOC_CQMMS, enforced),
    NUMBER("Base Indicator Register (BIR)", NVME_CMBLOC_BIR, HEX, 0),
};
static const struct field cmbsz[] = {
    NUMBER("Size (SZ)", NVME_CMBSZ_SZ, DEC, 0),
    WORDS("Size Units (SZU)", NVME_CMBSZ_SZU, buffer_units),
    WORDS("Write Data Support (WDS)", NVME_CMBSZ_WDS, supported),
    WORDS("Read Data Support (RDS)", NVME_CMBSZ_RDS, supported),
    WORDS("PRP SGL List Support (LISTS)", NVME_CMBSZ_LISTS, supported),
    WORDS("Completion Queue Support (CQS)", NVME_CMBSZ_CQS, supported),
    WORDS("Submission Queue Support (SQS)", NVME_CMBSZ_SQS, supported),
};
static const struct field bpinfo[] = {
    NUMBER("Active Boot Partition ID (ABPID)", NVME_BPINFO_ABPID, DEC, 0),
    WORDS("Boot Read Status (BRS)", NVME_BPINFO_BRS, boot_reads),
    NUMBER("Boot Partition Size (BPSZ)", NVME_BPINFO_BPSZ, DEC, 0),
};
static const struct field bprsel[] = {
    NUMBER("Boot Partition Identifier (BPID)", NVME_BPRSEL_BPID, DEC, 0),
    NUMBER("Boot Partition Read Offset (BPROF)", NVME_BPRSEL_BPROF, HEX, 0),
    NUMBER("Boot Partition Read Size (BPRSZ)", NVME_BPRSEL_BPRSZ, HEX, 0),
};
static const struct field bpmbl[] = {
    NUMBER("Boot Partition Memory Buffer Base Address (BMBBA)", NVME_BPMBL_BMBBA, ADDRESS, 0),
};
static const struct field cmbmsc[] = {
    NUMBER("Controller Base Address (CBA)", NVME_CMBMSC_CBA, HEX, 0),
    NUMBER("Controller Memory Space Enable (CMSE)", NVME_CMBMSC_CMSE, DEC, 0),
    WORDS("Capabilities Registers Enabled (CRE)", NVME_CMBMSC_CRE, not_enabled),
};
static const struct field cmbsts[] = {
    NUMBER("Controller Base Address Invalid (CBAI)", NVME_CMBSTS_CBAI, DEC, 0),
};
static const struct field pmrcap[] = {
    WORDS("Controller Memory Space Supported (CMSS)", NVME_PMRCAP_CMSS, supported),
    NUMBER("Persistent Memory Region Timeout (PMRTO)", NVME_PMRCAP_PMRTO, HEX, 0),
    NUMBER("Persistent Memory Region Write Barrier Mechanisms (PMRWBM)", NVME_PMRCAP_PMRWBM, HEX,
           0),
    WORDS("Persistent Memory Region Time Units (PMRTU)", NVME_PMRCAP_PMRTU, time_units),
    NUMBER("Base Indicator Register (BIR)", NVME_PMRCAP_BIR, HEX, 0),
    WORDS("Write Data Support (WDS)", NVME_PMRCAP_WDS, supported),
    WORDS("Read Data Support (RDS)", NVME_PMRCAP_RDS, supported),
};
static const struct field pmrctl[] = {
    WORDS("Enable (EN)", NVME_PMRCTL_EN, ready),
};
static const struct field pmrsts[] = {
    NUMBER("Controller Base Address Invalid (CBAI)", NVME_PMRSTS_CBAI, DEC, 0),
    WORDS("Health Status (HSTS)", NVME_PMRSTS_HSTS, healths),
    NUMBER("Not Ready (NRDY)", NVME_PMRSTS_NRDY, DEC, 0),
    NUMBER("Error (ERR)", NVME_PMRSTS_ERR, HEX, 0),
};
static const struct field pmrebs[] = {
    NUMBER("PMR Elasticity Buffer Size Base (PMRWBZ)", NVME_PMREBS_PMRWBZ, HEX, 0),
    WORDS("Read Bypass Behavior", NVME_PMREBS_BYPASS, bypasses),
    WORDS("PMR Elasticity Buffer Size Units (PMRSZU)", NVME_PMREBS_PMRSZU, sizes),
};
static const struct field pmrswtp[] = {
    NUMBER("PMR Sustained Write Throughput (PMRSWTV)", NVME_PMRSWTP_PMRSWTV, HEX, 0),
    WORDS("PMR Sustained Write Throughput Units (PMRSWTU)", NVME_PMRSWTP_PMRSWTU, rates),
};

// ---- registers ----

#define REG(name, fields, offset, bytes)                                                           \
    { name, #fields, offset, bytes, fields, ARRAY_SIZE(fields) }

static const struct reg {
    const char *name, *key;
    uint16_t offset;
    uint8_t bytes;
    const struct field *fields;
    size_t count;
} registers[] = {
    REG("cap", cap, NVME_CAP, 8),
    REG("version", vs, NVME_VS, 4),
    REG("cc", cc, NVME_CC, 4),
    REG("csts", csts, NVME_CSTS, 4),
    REG("nssr", nssr, NVME_NSSR, 4),
    REG("crto", crto, NVME_CRTO, 4),
    REG("aqa", aqa, NVME_AQA, 4),
    REG("asq", asq, NVME_ASQ, 8),
    REG("acq", acq, NVME_ACQ, 8),
    REG("cmbloc", cmbloc, NVME_CMBLOC, 4),
    REG("cmbsz", cmbsz, NVME_CMBSZ, 4),
    REG("bpinfo", bpinfo, NVME_BPINFO, 4),
    REG("bprsel", bprsel, NVME_BPRSEL, 4),
    REG("bpmbl", bpmbl, NVME_BPMBL, 8),
    REG("cmbmsc", cmbmsc, NVME_CMBMSC, 8),
    REG("cmbsts", cmbsts, NVME_CMBSTS, 4),
    REG("pmrcap", pmrcap, NVME_PMRCAP, 4),
    REG("pmrctl", pmrctl, NVME_PMRCTL, 4),
    REG("pmrsts", pmrsts, NVME_PMRSTS, 4),
    REG("pmrebs", pmrebs, NVME_PMREBS, 4),
    REG("pmrswtp", pmrswtp, NVME_PMRSWTP, 4),
};

static const char *word_of(const struct field *f, uint64_t n)
{
    return n < f->count && f->words[n] ? f->words[n] : "Reserved";
}

static void say(const struct field *f, uint64_t reg, char *to, size_t bytes)
{
    unsigned long long n = field_get(f->mask, reg);
    switch (f->form) {
    case WORD:
        format_text(to, bytes, "%s", word_of(f, n));
        break;
    case DEC:
        format_text(to, bytes, "%llu", n + f->base);
        break;
    case HEX:
        format_text(to, bytes, "0x%llx", n);
        break;
    case ADDRESS:
        format_text(to, bytes, "0x%llx", (unsigned long long)(reg & f->mask));
        break;
    case BYTES:
        format_text(to, bytes, "%llu bytes", 1ull << (n + f->base));
        break;
    case MS:
        format_text(to, bytes, "%llu ms", n * NVME_TIMEOUT_UNIT_MS);
        break;
    case SECONDS:
        format_text(to, bytes, "%llu secs", n * NVME_TIMEOUT_UNIT_MS / 1000);
        break;
    case VERSION:
        format_text(to, bytes, "%llu.%llu", (unsigned long long)field_get(NVME_VS_MJR, reg),
                    (unsigned long long)field_get(NVME_VS_MNR, reg));
        break;
    }
}

static int width_of(const struct reg *r)
{
    size_t width = 0;
    for (size_t i = 0; i < r->count; i++)
        width = MAX(width, strlen(r->fields[i].name));
    return (int)width;
}

static void show_fields(const struct sheet *s, const struct reg *r, uint64_t value)
{
    char text[VALUE_BYTES];
    for (size_t i = 0; i < r->count; i++) {
        say(&r->fields[i], value, text, sizeof(text));
        sheet_line(s, "    %-*s: %s", width_of(r), r->fields[i].name, text);
    }
}

// What tells of a memory that there is none of means nothing.
static bool means_something(const struct reg *r, uint64_t capabilities, uint64_t buffer)
{
    if (r->offset == NVME_CMBLOC || r->offset == NVME_CMBSZ)
        return buffer;
    return r->offset < NVME_PMRCAP || capabilities & NVME_CAP_PMRS;
}

void nvme_show_regs(const struct sheet *s, nvme_read_reg *read, const void *arg)
{
    uint64_t capabilities = read(arg, NVME_CAP, 8), buffer = read(arg, NVME_CMBSZ, 4);
    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct reg *r = &registers[i];
        uint64_t value = read(arg, r->offset, r->bytes);
        sheet_line(s, "%-*s: %llx", REGS_WIDTH, r->name, (unsigned long long)value);
        if (means_something(r, capabilities, buffer))
            show_fields(s, r, value);
        json_u64(s->json, r->key, value);
    }
}
