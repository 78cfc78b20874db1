// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/pci/pci_error_text.h"

#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"
#include "lib/format.h"

// Both fit into a sentence, which says what follows at its end.
#define NAMES_BYTES 56
#define PACKET_BYTES 64

struct name {
    unsigned bit;
    const char *words;
};

// 7.8.4.2
static const struct name uncorrectable_names[] = {
    { 4, "Data Link Protocol Error" },
    { 5, "Surprise Down Error" },
    { 12, "Poisoned TLP Received" },
    { 13, "Flow Control Protocol Error" },
    { 14, "Completion Timeout" },
    { 15, "Completer Abort" },
    { 16, "Unexpected Completion" },
    { 17, "Receiver Overflow" },
    { 18, "Malformed TLP" },
    { 19, "ECRC Error" },
    { 20, "Unsupported Request Error" },
    { 21, "ACS Violation" },
    { 22, "Uncorrectable Internal Error" },
    { 23, "MC Blocked TLP" },
    { 24, "AtomicOp Egress Blocked" },
    { 25, "TLP Prefix Blocked Error" },
    { 26, "Poisoned TLP Egress Blocked" },
    { 27, "DMWr Request Egress Blocked" },
    { 28, "IDE Check Failed" },
    { 29, "Misrouted IDE TLP" },
    { 30, "PCRC Check Failed" },
    { 31, "TLP Translation Egress Blocked" },
    { 0, NULL },
};

// 7.8.4.5
static const struct name correctable_names[] = {
    { 0, "Receiver Error" },
    { 6, "Bad TLP" },
    { 7, "Bad DLLP" },
    { 8, "REPLAY_NUM Rollover" },
    { 12, "Replay Timer Timeout" },
    { 13, "Advisory Non-Fatal Error" },
    { 14, "Corrected Internal Error" },
    { 15, "Header Log Overflow" },
    { 0, NULL },
};

// 7.9.14.6
static const struct name pio_names[] = {
    { 0, "Cfg UR Completion" },
    { 1, "Cfg CA Completion" },
    { 2, "Cfg CTO" },
    { 8, "I/O UR Completion" },
    { 9, "I/O CA Completion" },
    { 10, "I/O CTO" },
    { 16, "Mem UR Completion" },
    { 17, "Mem CA Completion" },
    { 18, "Mem CTO" },
    { 0, NULL },
};

// ---- words ----

static size_t append(char *to, size_t length, const char *comma, const char *words)
{
    int more = format_text(to + length, NAMES_BYTES - length, "%s%s", comma, words);
    return MIN(length + (size_t)more, (size_t)NAMES_BYTES - 1);
}

// The names of as many as fit; bits that have none, by number.
static void list(char *to, const struct name *names, uint32_t bits)
{
    char number[16];
    size_t length = 0;
    to[0] = 0;
    for_each_bit (bit, bits) {
        const struct name *name = names;
        while (name->words && name->bit != bit)
            name++;
        format_text(number, sizeof(number), "bit %u", (unsigned)bit);
        length = append(to, length, length ? ", " : "", name->words ? name->words : number);
    }
}

static const char *id_text(uint64_t id, char *to, size_t bytes)
{
    format_text(to, bytes, "%02x:%02x.%x", (unsigned)PCI_BUS(id), (unsigned)PCI_DEV(id),
                (unsigned)PCI_FN(id));
    return to;
}

// ---- packets ----

static uint64_t address_of(const uint32_t *header)
{
    if (header[0] & PCI_TLP_FORMAT_LONG)
        return (uint64_t)header[2] << 32 | (header[3] & PCI_TLP_ADDRESS);
    return header[2] & PCI_TLP_ADDRESS;
}

static void request_text(char *to, const char *what, const char *from, const uint32_t *header)
{
    format_text(to, PACKET_BYTES, "%s by %s at 0x%llx", what, from,
                (unsigned long long)address_of(header));
}

static void config_text(char *to, const char *what, const char *from, const uint32_t *header)
{
    char whose[16];
    format_text(to, PACKET_BYTES, "configuration %s by %s of %s, register 0x%x", what, from,
                id_text(field_get(PCI_TLP_TO, header[2]), whose, sizeof(whose)),
                header[2] & PCI_TLP_REGISTER);
}

// 2.2.1 and 2.2.7 to 2.2.9
static void packet_text(char *to, const uint32_t *header)
{
    char from[16], whose[16];
    bool data = header[0] & PCI_TLP_FORMAT_DATA;
    unsigned type = (unsigned)field_get(PCI_TLP_TYPE, header[0]);
    id_text(field_get(PCI_TLP_FROM, header[1]), from, sizeof(from));
    if (header[0] & PCI_TLP_FORMAT_PREFIX)
        format_text(to, PACKET_BYTES, "TLP prefix %08x", header[0]);
    else if (type == PCI_TLP_MEMORY || type == PCI_TLP_MEMORY_LOCKED)
        request_text(to, data ? "memory write" : "memory read", from, header);
    else if (type == PCI_TLP_IO)
        request_text(to, data ? "I/O write" : "I/O read", from, header);
    else if (type >= PCI_TLP_ATOMIC_FIRST && type <= PCI_TLP_ATOMIC_LAST)
        request_text(to, "atomic operation", from, header);
    else if (type == PCI_TLP_CONFIG_0 || type == PCI_TLP_CONFIG_1)
        config_text(to, data ? "write" : "read", from, header);
    else if (type == PCI_TLP_COMPLETION || type == PCI_TLP_COMPLETION_LOCKED)
        format_text(to, PACKET_BYTES, "completion by %s for %s", from,
                    id_text(field_get(PCI_TLP_TO, header[2]), whose, sizeof(whose)));
    else if (type >= PCI_TLP_MESSAGE && type <= PCI_TLP_MESSAGE_LAST)
        format_text(to, PACKET_BYTES, "message by %s", from);
    else
        format_text(to, PACKET_BYTES, "TLP %08x %08x", header[0], header[1]);
}

static bool is_empty(const uint32_t *header)
{
    return !(header[0] | header[1] | header[2] | header[3]);
}

// Of the first error alone there is a header; those of flit mode are laid out in another way.
static bool has_packet(const struct pci_error_log *log)
{
    return !is_empty(log->header) && !(log->control & PCI_AER_CONTROL_FLIT) &&
           log->uncorrectable >> field_get(PCI_AER_CONTROL_FIRST, log->control) & 1;
}

bool pci_error_sender(const struct pci_error_log *log, uint16_t *id)
{
    *id = (uint16_t)field_get(PCI_TLP_FROM, log->header[1]);
    return has_packet(log) && !(log->header[0] & PCI_TLP_FORMAT_PREFIX);
}

// " (memory read by 01:00.0 at 0x1000)", or nothing.
static void add_packet(char *to, size_t bytes, const struct pci_error_log *log)
{
    char packet[PACKET_BYTES];
    to[0] = 0;
    if (!has_packet(log))
        return;
    packet_text(packet, log->header);
    format_text(to, bytes, " (%s)", packet);
}

// ---- sentences ----

static const char *before_text(const struct pci_error_log *log, char *to, size_t bytes)
{
    to[0] = 0;
    if (log->before)
        format_text(to, bytes, " (and %u times before)", log->before);
    return to;
}

void pci_error_uncorrectable(const struct pci_error_log *log, struct problem *p)
{
    char names[NAMES_BYTES], packet[PACKET_BYTES + 4], before[40];
    bool fatal = log->uncorrectable & log->severity;
    list(names, uncorrectable_names, log->uncorrectable);
    add_packet(packet, sizeof(packet), log);
    problem_set(p, fatal ? "pcie-fatal" : "pcie-nonfatal", "%s (%s): %s: %s%s%s: %s", log->name,
                log->kind, fatal ? "fatal error" : "error", names, packet,
                before_text(log, before, sizeof(before)),
                fatal ? "its link is not to be relied on" : "the transfer is lost, the link works");
}

void pci_error_correctable(const struct pci_error_log *log, struct problem *p)
{
    char names[NAMES_BYTES], before[40];
    list(names, correctable_names, log->correctable);
    problem_set(p, "pcie-correctable",
                "%s (%s): corrected: %s%s: nothing is lost; if there are many, look at slot and "
                "cable",
                log->name, log->kind, names, before_text(log, before, sizeof(before)));
}

void pci_error_message(const char *name, enum pci_error_message message, uint16_t source,
                       struct problem *p)
{
    static const struct {
        const char *what, *words;
    } kinds[] = {
        [PCI_ERR_COR] = { "pcie-correctable", "a corrected error (ERR_COR): nothing is lost" },
        [PCI_ERR_NONFATAL] = { "pcie-nonfatal",
                               "an error (ERR_NONFATAL): a transfer is lost, the link works" },
        [PCI_ERR_FATAL] = { "pcie-fatal",
                            "a fatal error (ERR_FATAL): its link is not to be relied on" },
    };
    char from[16];
    problem_set(p, kinds[message].what, "%s (root port): %s below it reports %s", name,
                id_text(source, from, sizeof(from)), kinds[message].words);
}

static void pio_text(char *to, size_t bytes, const struct pci_dpc_log *log)
{
    char names[NAMES_BYTES], packet[PACKET_BYTES];
    list(names, pio_names, log->pio);
    packet[0] = 0;
    if (!is_empty(log->header))
        packet_text(packet, log->header);
    format_text(to, bytes, "a request of its own failed: %s%s%s", names, packet[0] ? ": " : "",
                packet);
}

static void reason_text(char *to, size_t bytes, const struct pci_dpc_log *log)
{
    char from[16];
    unsigned more = (unsigned)field_get(PCI_DPC_STATUS_EXTENSION, log->status);
    id_text(log->source, from, sizeof(from));
    switch (field_get(PCI_DPC_STATUS_REASON, log->status)) {
    case PCI_DPC_REASON_LOCAL:
        format_text(to, bytes, "an uncorrectable error of its own");
        break;
    case PCI_DPC_REASON_NONFATAL:
        format_text(to, bytes, "ERR_NONFATAL from %s", from);
        break;
    case PCI_DPC_REASON_FATAL:
        format_text(to, bytes, "ERR_FATAL from %s", from);
        break;
    default:
        if (more == PCI_DPC_MORE_PIO)
            pio_text(to, bytes, log);
        else
            format_text(to, bytes,
                        more == PCI_DPC_MORE_SOFTWARE ? "software asked for it"
                                                      : "a reason without a name");
    }
}

void pci_error_dpc(const struct pci_dpc_log *log, struct problem *p)
{
    char reason[NAMES_BYTES + PACKET_BYTES + 40];
    reason_text(reason, sizeof(reason), log);
    problem_set(p, "pcie-dpc", "%s: its link was brought down by DPC: %s: %s", log->name, reason,
                log->released ? "it is let up again" : "firmware is to let it up again");
}
