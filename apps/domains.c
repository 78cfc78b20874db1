// SPDX-License-Identifier: BSD-2-Clause
// app=domains: nothing of the kernel's own; it waits for the domains, as the end of any other app does.
#include "kernel/base/report.h"
#include "kernel/domain/domain.h"
#include "kernel/run/app.h"

static void run(const struct cmdline *c)
{
    if (!domain_first())
        error("domains-none", "app=domains waits for domains, and none was started: add "
                              "domain=NAME:cpus=2-3:disks=nvme1n1:mem=256m");
    domains_wait();
}

static const struct option options[] = { { .name = NULL } };

APP(app_domains) = {
    .name = "domains",
    .help = "waits for the domains' ends",
    .options = options,
    .run = run,
};
