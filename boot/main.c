// SPDX-License-Identifier: BSD-2-Clause
// The loader, from firmware's call to the kernel's entry: the list of its steps.

#include "boot/console.h"
#include "boot/loader.h"
#include "boot/ports.h"
#include "boot/status.h"
#include "lib/bits.h"
#include "lib/string.h"

#define CPUID_1_ECX_HYPERVISOR BIT32(31)
#define CPUID_1_EDX_FENCES (BIT32(19) | BIT32(26)) // CLFSH, SSE2
#define CPUID_HYPERVISOR 0x40000000
#define CPUID_EXTENDED 0x80000000
#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_EXTENDED_FEATURES_EDX_NX BIT32(20)
#define READING_TIME_US 5000000 // what people get to read an error before firmware clears it

static struct loader loader;

struct cpuid {
    uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
    return r;
}

// By the hypervisor's signature: on hardware the debug-exit port may be anything.
static bool may_be_qemu(void)
{
    const struct cpuid said = cpuid(CPUID_HYPERVISOR);
    const uint32_t name[] = { said.b, said.c, said.d };
    return cpuid(1).c & CPUID_1_ECX_HYPERVISOR &&
           (memcmp(name, "TCGTCGTCGTCG", sizeof(name)) == 0 ||
            memcmp(name, "KVMKVMKVM\0\0\0", sizeof(name)) == 0);
}

// The kernel's W^X tables have bit 63 set, which is a reserved bit without NX (SDM vol. 3, 5.6).
static bool cpu_has_nx(struct problem *p)
{
    if (cpuid(CPUID_EXTENDED).a >= CPUID_EXTENDED_FEATURES &&
        cpuid(CPUID_EXTENDED_FEATURES).d & CPUID_EXTENDED_FEATURES_EDX_NX)
        return true;
    return problem_set(
        p, "cpu-no-nx",
        "the CPU has no execute-disable (CPUID 80000001h EDX bit 20 is 0): turn it on "
        "in the firmware's set-up (\"Execute Disable Bit\", \"NX\")");
}

// What the kernel does without asking again: CLFLUSH, for units that don't snoop, and MFENCE and LFENCE,
// which are SSE2's. Each x86-64 processor has them, but a hypervisor may hide either.
static bool cpu_has_fences(struct problem *p)
{
    if ((cpuid(1).d & CPUID_1_EDX_FENCES) == CPUID_1_EDX_FENCES)
        return true;
    return problem_set(
        p, "cpu-no-fences",
        "the CPU has no CLFLUSH or no SSE2 (CPUID 1 EDX bits 19 and 26 are 0x%x): give "
        "the virtual machine a CPU with both",
        cpuid(1).d & CPUID_1_EDX_FENCES);
}

bool loader_begin(struct loader *l, struct problem *p)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_STATUS status = l->services->HandleProtocol(l->image, &guid, (void **)&l->self);
    if (EFI_ERROR(status))
        return problem_set(p, "boot-loaded-image",
                           "firmware does not say where it loaded us from: %s",
                           status_name(status));
    // UEFI 2.10, 7.5: a watchdog of five minutes runs since firmware started the image, and would
    // reset the machine during a long job. Firmware without a watchdog reports an error: no harm.
    l->services->SetWatchdogTimer(0, 0, 0, NULL);

    uint64_t base;
    if (!memory_take_low(l, MEMORY_KEPT, sizeof(struct handoff), "the hand-off", &base, p))
        return false;
    l->handoff = (struct handoff *)base;
    l->handoff->magic = HANDOFF_MAGIC;
    l->handoff->bytes = sizeof(struct handoff);
    l->handoff->tsc_start = l->tsc_start;
    return true;
}

// Says what went wrong and gives the machine back. The debug-exit write comes before the pause for
// reading: QEMU ends there, with all said, and a machine without the device doesn't notice it.
static EFI_STATUS give_up(struct loader *l, const struct problem *p)
{
    console_problem(p);
    if (may_be_qemu())
        port_write8(PORT_DEBUG_EXIT, DEBUG_EXIT_FAILED);
    if (console_is_alone()) // boot services are gone or half gone: there is nobody to return to
        for (;;)
            __asm__ volatile("cli\n\thlt" ::: "memory");
    l->services->Stall(READING_TIME_US);
    memory_return(l);
    return EFI_ABORTED;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    struct loader *l = &loader;
    struct problem p = { .what = "boot" };
    *l = (struct loader){
        .tsc_start = read_tsc(),
        .image = image,
        .system = system,
        .services = system->BootServices,
    };
    console_open(system);

    if (!cpu_has_nx(&p) ||             //
        !cpu_has_fences(&p) ||         //
        !loader_begin(l, &p) ||        // watchdog off, the hand-off
        !command_line_gather(l, &p) || // cmdline.txt, then load options
        !platform_describe(l, &p) ||   // ACPI root, framebuffer, trampoline page
        !console_gather(l, &p))        // where this is told: the command line, SPCR
        return give_up(l, &p);
    results_collect(l);
    if (!command_line_ask(l, &p)) // the menu
        return give_up(l, &p);
    programs_load(l);
    if (!kernel_load(l, &p) ||        // check, place, symbols
        !kernel_map(l, &p) ||         // temporary page tables
        !bus_masters_find(l, &p) ||   //
        !results_prepare(l, &p) ||    // the record of where they will be
        !memory_map_prepare(l, &p) || // the last allocation
        !boot_services_exit(l, &p))   // interrupts are off from here
        return give_up(l, &p);

    bus_masters_stop(l);
    if (!memory_map_hand_over(l, &p))
        return give_up(l, &p);
    kernel_enter((uint64_t)l->handoff, l->root, l->kernel.entry);
}
