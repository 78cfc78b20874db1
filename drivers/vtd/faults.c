// SPDX-License-Identifier: BSD-2-Clause
// The registers of faults: where their event goes, and reading the records out (VT-d 7.2, 7.3).

#include "drivers/vtd/unit.h"
#include "drivers/vtd/vtd.h"
#include "kernel/cpu/timer.h"
#include "kernel/x86/time.h"

#define STORM_NS (10 * NS_PER_MS) // pause after a full round of records

// The boot CPU's loop alone reads and writes these.
static bool reading;
static bool again; // a unit has something pending, so that no event comes

static void on_timer(struct cpu_timer *timer)
{
    (void)timer;
    vtd_report_faults();
}

static struct cpu_timer timer = { .fn = on_timer };

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

// The record's uppermost word is read first: with F set there, the rest of it is whole
// (VT-d 11.4.7.6, note 1).
bool vtd_fault_read(const struct vtd_unit *u, size_t index, struct vtd_fault *f)
{
    size_t at = record_offset(u, index);
    if (!(vtd_read32(u, at + VTD_FRCD_TOP) & VTD_FRCD_TOP_F))
        return false;
    *f = vtd_fault_decode(u->base, u->segment, vtd_read64(u, at + VTD_FRCD_LOW),
                          vtd_read64(u, at + VTD_FRCD_HIGH));
    return true;
}

// All records, round the ring from the one at which FSTS.PPF was set, then the overflow (VT-d
// 7.2.1). A free record is not the end: that first one may have been read in the round before, after
// which FRI (11.4.7.1) still names it while others are pending. A device that faults without end
// can't hold the loop here: after one round it waits for the timer.
static void read_unit(struct vtd_unit *u)
{
    struct vtd_fault f;
    uint32_t status = vtd_read32(u, VTD_FSTS);
    size_t count = vtd_fault_records(u), at = (size_t)field_get(VTD_FSTS_FRI, status) % count;
    for (size_t i = 0; status & VTD_FSTS_PPF && i < count; i++, at = (at + 1) % count)
        if (vtd_fault_read(u, at, &f)) {
            free_record(u, at);
            fault_report(u, &f);
        }
    // Left set, these would hold back all further events. Errors of the queue are for the CPU that
    // waits for it, and those that no CPU can end stay set: then the timer stands in for events.
    uint32_t clear = vtd_read32(u, VTD_FSTS) & (VTD_FSTS_PFO | VTD_FSTS_ICE);
    vtd_write32(u, VTD_FSTS, clear);
    if (clear & VTD_FSTS_PFO)
        fault_report_lost(u);
    again |= vtd_read32(u, VTD_FSTS) & VTD_FSTS_EVENTS;
}

// Whom a breach is handed on to may revoke a grant, for which the rest has to be read: it is being read.
void vtd_report_faults(void)
{
    if (reading)
        return;
    reading = true;
    again = false;
    for_each_unit (u)
        read_unit(u);
    reading = false;

    uint64_t now = time_ns(), due = fault_report_owed(now);
    if (again)
        cpu_timer_start(&timer, now + STORM_NS);
    else if (due)
        cpu_timer_start(&timer, due);
}

void vtd_faults_finish(void)
{
    vtd_report_faults();
    cpu_timer_stop(&timer);
    (void)fault_report_owed(UINT64_MAX);
}
