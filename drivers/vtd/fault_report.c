// SPDX-License-Identifier: BSD-2-Clause
// What people and tools are told of faults, limited in rate. Each one stands for an interrupt or a DMA that never
// arrived: an error where an entry of ours was meant, or the device is one that we drive, else a warning, since
// devices that firmware left running are no reason to fail.

#include "drivers/vtd/unit.h"

#include "drivers/vtd/vtd.h"
#include "kernel/base/report.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define SENTENCES_MAX 10    // shown one by one; later ones are counted
#define SUMMARY_NS NS_PER_S // at most one summary in that time
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
    char last[SENTENCE_BYTES];
} reported;

void fault_report_reset(void)
{
    memset(&reported, 0, sizeof(reported));
}

static void send_json(const struct vtd_fault *f, const char *sentence)
{
    char buffer[768];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "fault");
    json_format(&j, "unit", "0x%llx", (unsigned long long)f->unit);
    json_format(&j, "source", "%04x:%02x:%02x.%x", f->segment, PCI_BUS(f->source),
                PCI_DEV(f->source), PCI_FN(f->source));
    if (f->has_index)
        json_u64(&j, "index", f->index);
    json_u64(&j, "reason", f->reason);
    if (!f->interrupt) {
        json_format(&j, "address", "0x%llx", (unsigned long long)f->address);
        json_text(&j, "access", f->reads ? "read" : "write");
    }
    json_text(&j, "what", vtd_fault_what(f));
    json_text(&j, "message", sentence);
    report_json(&j);
}

// What a domain's function does is no error of ours, and the address is the domain's.
void fault_report(struct vtd_unit *u, struct vtd_fault *f)
{
    bool given = pci_is_given(f->segment, f->source);
    bool ours = f->interrupt ? vtd_table_owner(u, f)
                             : pci_is_driven(f->segment, f->source) && !vtd_is_reserved_at(f);
    f->lies_there = given ? "as its domain counts" : vtd_what_lies_at(f->address);
    ours &= !given;
    vtd_fault_sentence(reported.last, sizeof(reported.last), f);
    reported.seen++;
    // Before anybody counts how much people have been told: whose it was may have told it.
    const struct pci_blocked what = { .interrupt = f->interrupt,
                                      .reads = f->reads,
                                      .address = f->address,
                                      .sentence = reported.last };
    if (pci_tell_blocked(f->segment, f->source, &what))
        return send_json(f, reported.last);
    if (reported.sentences[given] < SENTENCES_MAX) {
        if (++reported.sentences[given] == SENTENCES_MAX)
            reported.summary_due = time_ns() + SUMMARY_NS;
        (ours ? error : warn)("vtd-fault", "%s", reported.last);
        return send_json(f, reported.last);
    }
    reported.suppressed++;
    reported.suppressed_ours |= ours;
}

// Whose they were, nobody knows: those that there were records for are told all the same.
void fault_report_lost(const struct vtd_unit *u)
{
    char sentence[SENTENCE_BYTES];
    const struct pci_blocked what = { .lost = true, .sentence = sentence };
    format_text(sentence, sizeof(sentence),
                "VT-d unit 0x%llx blocked more at once than it has records for: of whom the rest "
                "was isn't known",
                (unsigned long long)u->base);
    reported.lost = true;
    pci_tell_blocked(u->segment, 0, &what);
}

static void summarise(uint64_t now)
{
    char text[SENTENCE_BYTES + 160], buffer[SENTENCE_BYTES + 400];
    struct json j;
    if (reported.suppressed)
        format_text(text, sizeof(text), "%llu more VT-d faults%s; the last one recorded: %s",
                    (unsigned long long)reported.suppressed,
                    reported.lost ? " and others that the units had no room for" : "",
                    reported.last);
    else
        format_text(text, sizeof(text),
                    "more VT-d faults came at once than the units have records for");
    (reported.suppressed_ours ? error : warn)("vtd-fault", "%s", text);
    json_begin(&j, buffer, sizeof(buffer), "fault");
    json_u64(&j, "suppressed", reported.suppressed);
    json_bool(&j, "lost", reported.lost);
    json_text(&j, "message", text);
    report_json(&j);
    reported.suppressed = 0;
    reported.suppressed_ours = reported.lost = false;
    reported.summary_due = now + SUMMARY_NS;
}

uint64_t fault_report_owed(uint64_t now)
{
    if (!reported.suppressed && !reported.lost)
        return 0;
    if (now < reported.summary_due)
        return reported.summary_due;
    summarise(now);
    return 0;
}

uint64_t vtd_fault_count(void)
{
    return reported.seen;
}
