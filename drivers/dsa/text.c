// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/dsa/text.h"

#include "lib/format.h"

struct word {
    uint8_t code;
    const char *text;
};

static const char *find(const struct word *words, size_t count, unsigned code, const char *other)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].code == code)
            return words[i].text;
    return other;
}

static const struct word operations[] = {
    { DSA_NOOP, "no-op" }, { DSA_BATCH, "batch" },     { DSA_DRAIN, "drain" }, { DSA_MOVE, "move" },
    { DSA_FILL, "fill" },  { DSA_COMPARE, "compare" }, { DSA_CRC, "CRC" },
};

const char *dsa_operation_name(unsigned operation)
{
    return find(operations, ARRAY_SIZE(operations), operation, "unknown operation");
}

static const struct word commands[] = {
    { DSA_ENABLE_DEVICE, "enable device" },
    { DSA_DISABLE_DEVICE, "disable device" },
    { DSA_DRAIN_ALL, "drain all" },
    { DSA_ABORT_ALL, "abort all" },
    { DSA_RESET_DEVICE, "reset device" },
    { DSA_ENABLE_WQ, "enable WQ" },
    { DSA_DISABLE_WQ, "disable WQ" },
    { DSA_DRAIN_WQ, "drain WQ" },
    { DSA_ABORT_WQ, "abort WQ" },
    { DSA_RESET_WQ, "reset WQ" },
    { DSA_REQUEST_HANDLE, "request interrupt handle" },
    { DSA_RELEASE_HANDLE, "release interrupt handle" },
};

const char *dsa_command_name(unsigned command)
{
    return find(commands, ARRAY_SIZE(commands), command, "unknown command");
}

// 9.2.13, table 5-8
static const struct word command_errors[] = {
    { 0x00, "no error" },
    { 0x01, "it doesn't know the command" },
    { 0x02, "there is no such work queue" },
    { 0x03, "its hardware failed" },
    { 0x04, "reserved fields aren't 0" },
    { 0x05, "the device has halted" },
    { 0x10, "the device isn't disabled" },
    { 0x11, "its configuration is wrong" },
    { 0x12, "bus mastering is off" },
    { 0x13, "its page requests are set up wrongly" },
    { 0x14, "its work queues have more entries than there are" },
    { 0x15, "a group has work queues and no engine, or engines and no work queue" },
    { 0x16, "a work queue is in no group, or in several" },
    { 0x17, "an engine is in several groups" },
    { 0x18, "a group's read buffers or its bandwidth limit are wrong" },
    { 0x19, "its event log is set up wrongly" },
    { 0x1a, "ATS is on or off, and the platform wants the opposite" },
    { 0x1b, "its event log or its bit map asks for PASIDs, which are off" },
    { 0x20, "the device isn't enabled" },
    { 0x21, "the work queue isn't disabled" },
    { 0x22, "the work queue has no entries" },
    { 0x23, "the work queue's priority is 0" },
    { 0x24, "the work queue's mode is wrong" },
    { 0x25, "the work queue is to wait for page faults, and the device can't" },
    { 0x26, "the work queue's PASID is wrong" },
    { 0x27, "the work queue's batches may be too long" },
    { 0x28, "the work queue's transfers may be too long" },
    { 0x2a, "the work queue is privileged, and the device isn't" },
    { 0x2b, "the work queue's occupancy interrupt is wrong" },
    { 0x2c, "the work queue can't have ATS off" },
    { 0x2d, "the work queue may do more than the device can" },
    { 0x2e, "the work queue can't have page requests off" },
    { 0x31, "the device isn't enabled" },
    { 0x32, "a work queue isn't enabled" },
    { 0x41, "there is no such interrupt" },
    { 0x42, "it has no more interrupt handles" },
};

const char *dsa_command_error(unsigned code)
{
    return find(command_errors, ARRAY_SIZE(command_errors), code, "an error that isn't known");
}

// Tables 5-6 and 5-7
static const struct word statuses[] = {
    { 0x00, "it hasn't ended" },
    { 0x01, "it ended well" },
    { 0x02, "it ended well, with another result than was expected" },
    { 0x03, "a page fault: what it was to reach is not granted to it" },
    { 0x04, "a page fault that nobody could resolve" },
    { 0x05, "descriptors of the batch failed" },
    { 0x06, "a page fault as the batch was read" },
    { 0x07, "the delta record's offsets don't rise" },
    { 0x08, "an offset of the delta record is out of range" },
    { 0x09, "the data integrity field is wrong" },
    { 0x10, "the operation isn't known, or not allowed" },
    { 0x11, "flags that are wrong" },
    { 0x12, "reserved fields that aren't 0" },
    { 0x13, "a transfer size out of range" },
    { 0x14, "a number of descriptors out of range" },
    { 0x15, "a field's value that isn't supported" },
    { 0x16, "source and destination overlap" },
    { 0x17, "destinations that don't fit each other" },
    { 0x18, "a batch that isn't 64-byte aligned" },
    { 0x19, "an interrupt handle that isn't good" },
    { 0x1a, "a completion record that it can't reach" },
    { 0x1b, "a completion record that isn't 32-byte aligned" },
    { 0x1c, "an address that isn't aligned" },
    { 0x1d, "privilege that isn't allowed" },
    { 0x1e, "traffic classes that contradict each other" },
    { 0x1f, "a page fault at a readback address" },
    { 0x20, "a read of memory that isn't granted to it, or its hardware failed" },
    { 0x21, "its hardware failed as it wrote or read back" },
    { 0x22, "the translation of an address failed" },
    { 0x26, "a page fault at a completion record before a drain" },
    { 0x27, "a page fault at a completion record of the batch" },
    { 0x28, "an operation between domains, and PASIDs are off" },
    { 0x29, "a domain's handle that isn't good" },
    { 0x2a, "an access that the domain doesn't permit" },
    { 0x2b, "an address out of the domain's window" },
    { 0x2c, "a window that may not be changed" },
    { 0x2d, "a window that is wrong" },
    { 0x2e, "a domain that can't be reached" },
    { 0x51, "a register that may not be changed now" },
    { 0x52, "a command while another is under way" },
    { 0x53, "the work queue is full" },
    { 0x54, "the event log takes no more" },
};

const char *dsa_status_text(unsigned code)
{
    return find(statuses, ARRAY_SIZE(statuses), code, "an error that isn't known");
}

// Only these have an address, and say whether it was to be read (8.2.5, 9.2.15).
static bool is_page_fault(unsigned code)
{
    return code == 0x03 || code == 0x04 || code == 0x06 || code == 0x1a || code == 0x1f;
}

// Table 8-13
static const struct word operands[] = {
    { 1, "the source" },
    { 2, "the second source" },
    { 3, "the destination" },
    { 4, "the second destination" },
    { 5, "the completion record" },
};

// What a page fault's record tells, to the end of the sentence (8.2.3, 8.2.5).
static void describe_fault(const struct dsa_record *record, bool fault_info, char *to, size_t bytes)
{
    const char *access = record->status & DSA_STATUS_WRITE ? "write" : "read";
    const char *operand = "memory";
    if (fault_info)
        operand = find(operands, ARRAY_SIZE(operands),
                       (unsigned)field_get(DSA_FAULT_OPERAND, record->fault_info), operand);
    if (fault_info && record->fault_info & DSA_FAULT_MASKED)
        format_text(to, bytes, ", a %s of %s, whose address isn't told", access, operand);
    else if (fault_info)
        format_text(to, bytes, ", a %s of %s at 0x%llx", access, operand,
                    (unsigned long long)record->fault);
    else
        format_text(to, bytes, ", a %s at 0x%llx", access, (unsigned long long)record->fault);
}

const char *dsa_describe_record(const struct dsa_descriptor *d, const struct dsa_record *record,
                                bool fault_info, char *to)
{
    unsigned code = record->status & DSA_STATUS_CODE;
    unsigned operation = (unsigned)field_get(DSA_FLAGS_OPERATION, d->flags);
    char fault[80] = "";
    if (is_page_fault(code))
        describe_fault(record, fault_info, fault, sizeof(fault));
    format_text(to, DSA_TEXT_BYTES, "a %s of %u %s failed: %s (status 0x%02x%s)",
                dsa_operation_name(operation), d->bytes,
                operation == DSA_BATCH ? "descriptors" : "bytes", dsa_status_text(code), code,
                fault);
    return to;
}

const char *dsa_describe_error(const uint64_t words[DSA_SWERROR_WORDS], char *to)
{
    unsigned code = (unsigned)field_get(DSA_SWERROR_CODE, words[0]);
    const char *operation = "a submission";
    char wq[24] = "";
    char address[40] = "";
    if (words[0] & DSA_SWERROR_DESCRIPTOR)
        operation = dsa_operation_name((unsigned)field_get(DSA_SWERROR_OPERATION, words[0]));
    if (words[0] & DSA_SWERROR_WQ_VALID)
        format_text(wq, sizeof(wq), " of WQ %u", (unsigned)field_get(DSA_SWERROR_WQ, words[0]));
    if (is_page_fault(code))
        format_text(address, sizeof(address), ", a %s at 0x%llx",
                    words[0] & DSA_SWERROR_WRITE ? "write" : "read",
                    (unsigned long long)words[DSA_SWERROR_ADDRESS / 8]);
    format_text(to, DSA_TEXT_BYTES, "%s%s%s was refused: %s (SWERROR 0x%02x%s)%s", operation,
                words[0] & DSA_SWERROR_BATCH ? " in a batch" : "", wq, dsa_status_text(code), code,
                address, words[0] & DSA_SWERROR_OVERFLOW ? "; there were more" : "");
    return to;
}

const char *dsa_describe_halt(uint32_t gensts, char *to)
{
    static const char *const resets[] = { "a reset by software", "a function level reset",
                                          "a warm reset of the machine",
                                          "a cold reset of the machine" };
    format_text(to, DSA_TEXT_BYTES, "it has halted (GENSTS 0x%x), and would need %s", gensts,
                resets[field_get(DSA_GENSTS_RESET, gensts)]);
    return to;
}
