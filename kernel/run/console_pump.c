// SPDX-License-Identifier: BSD-2-Clause
// A timer of the boot CPU's, as often as the fastest UART takes a piece, while there is something to send.

#include "kernel/run/console_pump.h"

#include "kernel/base/cpus.h"
#include "kernel/base/report_init.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/x86/time.h"
#include "lib/mark.h"
#include "lib/types.h"

#define PACE_LEAST_US 100ull // of UARTs that are no UARTs but a BMC's memory
#define PACE_MOST_US 50000ull

static struct {
    struct cpu_timer timer;
    struct cpu_msg msg;
    bool asked; // by another CPU: the message is on its way
} pump;

static void start_timer(uint32_t pace_us)
{
    uint64_t pace = MIN(MAX((uint64_t)pace_us, PACE_LEAST_US), PACE_MOST_US);
    cpu_timer_start(&pump.timer, time_ns() + pace * NS_PER_US);
}

static void tick(struct cpu_timer *timer)
{
    uint32_t pace_us;
    MARK_BEGIN("progress");
    if (report_pump(time_ns(), &pace_us))
        start_timer(pace_us);
    report_trouble();
    MARK_END("progress");
}

static void take_message(struct cpu_msg *msg)
{
    __atomic_store_n(&pump.asked, false, __ATOMIC_RELEASE);
    if (!pump.timer.armed)
        start_timer(0);
}

static void kick(void)
{
    if (cpu_index() != 0) {
        if (!__atomic_exchange_n(&pump.asked, true, __ATOMIC_ACQ_REL))
            cpu_post(0, &pump.msg);
    } else if (!pump.timer.armed) {
        start_timer(0);
    }
}

void console_pump_start(void)
{
    pump.timer.fn = tick;
    pump.msg.fn = take_message;
    report_set_kick(kick);
}
