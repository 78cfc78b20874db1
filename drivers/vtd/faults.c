// SPDX-License-Identifier: BSD-2-Clause
// Faults: where their event goes, and reading them out (VT-d 7.2, 7.3). Each one stands for an
// interrupt or a DMA that never arrived: an error where an entry of ours was meant, or the device is one
// that we drive, else a warning, since devices that firmware left running are no reason to fail.

#include "drivers/vtd/unit.h"
#include "drivers/vtd/vtd.h"
#include "kernel/base/report.h"
#include "kernel/cpu/timer.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define SENTENCES_MAX 10          // shown one by one; later ones are counted
#define SUMMARY_NS NS_PER_S       // at most one summary in that time
#define STORM_NS (10 * NS_PER_MS) // pause after a full round of records
#define SENTENCE_BYTES 400

// The boot CPU's loop alone reads and writes these.
static struct {
    uint64_t seen; // faults, reported or not
    // Shown one by one, [1] of functions that were given away: what those do uses up none of the others'.
    uint64_t sentences[2];
    uint64_t suppressed; // since the last summary
    bool suppressed_ours;
    bool lost; // since the last summary: records overflowed
    uint64_t summary_due;
    bool reading;
    bool again; // a unit has something pending, so that no event comes
    char last[SENTENCE_BYTES];
} faults;

static void on_timer(struct cpu_timer *timer)
{
    (void)timer;
    vtd_report_faults();
}

static struct cpu_timer timer = { .fn = on_timer };

void vtd_faults_reset(void)
{
    memset(&faults, 0, sizeof(faults));
}

size_t vtd_fault_records(const struct vtd_unit *u)
{
    return (size_t)field_get(VTD_CAP_NFR, u->cap) + 1;
}

static size_t record_offset(const struct vtd_unit *u, size_t index)
{
    return 16 * (size_t)field_get(VTD_CAP_FRO, u->cap) + VTD_FRCD_BYTES * index;
}

void vtd_faults_start(const struct vtd_unit *u, uint8_t vector, uint32_t apic_id)
{
    vtd_write32(u, VTD_FEDATA, (uint32_t)field_put(EVENT_DATA_VECTOR, vector));
    vtd_write32(u, VTD_FEADDR, (uint32_t)(MSI_ADDRESS_BASE | field_put(EVENT_ADDR_ID, apic_id)));
    vtd_write32(u, VTD_FEUADDR, apic_id & EVENT_UADDR_ID);
    // An event that is pending already is sent at once (VT-d 7.3).
    vtd_write32(u, VTD_FECTL, vtd_read32(u, VTD_FECTL) & ~VTD_EVENT_IM);
}

static void free_record(const struct vtd_unit *u, size_t index)
{
    vtd_write32(u, record_offset(u, index) + VTD_FRCD_TOP, VTD_FRCD_TOP_F);
}

void vtd_faults_clear(const struct vtd_unit *u)
{
    for (size_t i = 0; i < vtd_fault_records(u); i++)
        free_record(u, i);
    vtd_write32(u, VTD_FSTS, VTD_FSTS_PFO | VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE);
}

static void send_json(const struct vtd_unit *u, const struct vtd_fault *f, const char *sentence)
{
    char buffer[768], text[24];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "fault");
    format_text(text, sizeof(text), "0x%llx", (unsigned long long)u->base);
    json_text(&j, "unit", text);
    format_text(text, sizeof(text), "%04x:%02x:%02x.%x", u->segment, PCI_BUS(f->source),
                PCI_DEV(f->source), PCI_FN(f->source));
    json_text(&j, "source", text);
    if (f->has_index)
        json_u64(&j, "index", f->index);
    json_u64(&j, "reason", f->reason);
    if (!f->interrupt) {
        format_text(text, sizeof(text), "0x%llx", (unsigned long long)f->address);
        json_text(&j, "address", text);
        json_text(&j, "access", f->reads ? "read" : "write");
    }
    json_text(&j, "what", vtd_fault_what(f));
    json_text(&j, "message", sentence);
    report_json(&j);
}

static void tell(bool ours, const char *sentence)
{
    if (ours)
        error("vtd-fault", "%s", sentence);
    else
        warn("vtd-fault", "%s", sentence);
}

// Before anybody counts how much people have been told. True: of this they have been.
static bool hand_on(const struct vtd_unit *u, const struct vtd_fault *f)
{
    const struct pci_blocked what = {
        .interrupt = f->interrupt,
        .reads = f->reads,
        .address = f->address,
        .sentence = faults.last,
    };
    return pci_tell_blocked(u->segment, f->source, &what);
}

// What a domain's function does is no error of ours, and the address is the domain's.
static void note(struct vtd_unit *u, uint64_t low, uint64_t high)
{
    struct vtd_fault f = vtd_fault_decode(low, high);
    struct vtd_fault_owner owner = { 0 };
    bool given = pci_is_given(u->segment, f.source);
    bool ours = f.interrupt ? vtd_table_owner(u, &f, &owner)
                            : vtd_context_domain(u, f.source) == VTD_ARENA &&
                                  !vtd_is_reserved_at(u, f.source, f.address);
    owner.lies_there = given ? "as its domain counts" : vtd_what_lies_at(f.address);
    ours &= !given;
    vtd_fault_sentence(faults.last, sizeof(faults.last), u->base, u->segment, &f, &owner);
    faults.seen++;
    if (hand_on(u, &f))
        return send_json(u, &f, faults.last);
    if (faults.sentences[given] < SENTENCES_MAX) {
        if (++faults.sentences[given] == SENTENCES_MAX)
            faults.summary_due = time_ns() + SUMMARY_NS;
        tell(ours, faults.last);
        return send_json(u, &f, faults.last);
    }
    faults.suppressed++;
    faults.suppressed_ours |= ours;
}

// The record's uppermost word is read first: with F set there, the rest of it is whole
// (VT-d 11.4.7.6, note 1).
bool vtd_fault_read(const struct vtd_unit *u, size_t index, uint64_t *low, uint64_t *high)
{
    size_t at = record_offset(u, index);
    if (!(vtd_read32(u, at + VTD_FRCD_TOP) & VTD_FRCD_TOP_F))
        return false;
    *low = vtd_read64(u, at + VTD_FRCD_LOW);
    *high = vtd_read64(u, at + VTD_FRCD_HIGH);
    return true;
}

static void take_record(struct vtd_unit *u, size_t index)
{
    uint64_t low, high;
    if (!vtd_fault_read(u, index, &low, &high))
        return;
    free_record(u, index);
    note(u, low, high);
}

// Whose they were, nobody knows: those that there were records for are told all the same.
static void note_lost(const struct vtd_unit *u)
{
    char sentence[SENTENCE_BYTES];
    const struct pci_blocked what = { .lost = true, .sentence = sentence };
    format_text(sentence, sizeof(sentence),
                "VT-d unit 0x%llx blocked more at once than it has records for: of whom the rest "
                "was isn't known",
                (unsigned long long)u->base);
    faults.lost = true;
    pci_tell_blocked(u->segment, 0, &what);
}

// All records, round the ring from the one at which FSTS.PPF was set, then the overflow (VT-d
// 7.2.1). A free record is not the end: that first one may have been read in the round before, after
// which FRI (11.4.7.1) still names it while others are pending. A device that faults without end
// can't hold the loop here: after one round it waits for the timer.
static void read_unit(struct vtd_unit *u)
{
    uint32_t status = vtd_read32(u, VTD_FSTS);
    size_t count = vtd_fault_records(u);
    size_t first = (size_t)field_get(VTD_FSTS_FRI, status);
    for (size_t i = 0; status & VTD_FSTS_PPF && i < count; i++)
        take_record(u, (first + i) % count);
    // Left set, these would hold back all further events. Errors of the queue are for the CPU that
    // waits for it, and those that no CPU can end stay set: then the timer stands in for events.
    uint32_t clear = vtd_read32(u, VTD_FSTS) & (VTD_FSTS_PFO | VTD_FSTS_ICE);
    vtd_write32(u, VTD_FSTS, clear);
    if (clear & VTD_FSTS_PFO)
        note_lost(u);
    faults.again |= vtd_read32(u, VTD_FSTS) & VTD_FSTS_EVENTS;
}

static void summarise(uint64_t now)
{
    char text[SENTENCE_BYTES + 160], buffer[SENTENCE_BYTES + 400];
    struct json j;
    if (faults.suppressed)
        format_text(text, sizeof(text), "%llu more VT-d faults%s; the last one recorded: %s",
                    (unsigned long long)faults.suppressed,
                    faults.lost ? " and others that the units had no room for" : "", faults.last);
    else
        format_text(text, sizeof(text),
                    "more VT-d faults came at once than the units have records for");
    tell(faults.suppressed_ours, text);
    json_begin(&j, buffer, sizeof(buffer), "fault");
    json_u64(&j, "suppressed", faults.suppressed);
    json_bool(&j, "lost", faults.lost);
    json_text(&j, "message", text);
    report_json(&j);
    faults.suppressed = 0;
    faults.suppressed_ours = faults.lost = false;
    faults.summary_due = now + SUMMARY_NS;
}

// Whom a breach is handed on to may revoke a grant, for which the rest has to be read: it is being read.
void vtd_report_faults(void)
{
    struct vtd_unit *u;
    if (faults.reading)
        return;
    faults.reading = true;
    faults.again = false;
    for (size_t i = 0; (u = vtd_unit_get(i)); i++)
        read_unit(u);
    faults.reading = false;

    uint64_t now = time_ns();
    bool owed = faults.suppressed || faults.lost;
    if (owed && now >= faults.summary_due) {
        summarise(now);
        owed = false;
    }
    if (faults.again)
        cpu_timer_start(&timer, now + STORM_NS);
    else if (owed)
        cpu_timer_start(&timer, faults.summary_due);
}

void vtd_faults_finish(void)
{
    vtd_report_faults();
    cpu_timer_stop(&timer);
    if (faults.suppressed || faults.lost)
        summarise(time_ns());
}

uint64_t vtd_fault_count(void)
{
    return faults.seen;
}
