// SPDX-License-Identifier: BSD-2-Clause
// Bus masters off, so that no device which firmware's drivers set up writes into memory that is now
// the kernel's.
//
// When: right after ExitBootServices() has succeeded. UEFI 2.10, 7.4.6 has firmware's drivers stop
// their devices in the notification functions that this call runs, and those need their DMA: a
// network driver waits there for its shutdown command to complete (mu_basecore issue 520), iPXE had
// to move its own ahead of firmware that cleared the bit first, and XhciDxe polls for a halt. Linux
// (efi=disable_early_pci_dma) and NOVA clear the bit before the call and disconnect drivers for it;
// Linux warns of failures. The order of notification functions at one priority is not defined, so
// an event of our own can't be the last either. After the call all have run, and no memory has been
// used anew yet: nothing is lost by the wait.
//
// How: firmware's protocols are gone by then. The functions are listed through them before;
// afterwards segment 0 is reached by configuration ports, which every PC has, and others by
// memory-mapped configuration where firmware's tables name it and its page tables map it.

#include "boot/boot_paging.h"
#include "boot/loader.h"
#include "boot/mcfg.h"
#include "boot/pci_regs.h"
#include "boot/ports.h"
#include "boot/status.h"
#include "lib/mmio.h"

static bool read_function(EFI_PCI_IO_PROTOCOL *pci, struct pci_function *f)
{
    UINTN segment, bus, device, function;
    uint32_t header[PCI_HEADER_WORDS];
    if (EFI_ERROR(pci->GetLocation(pci, &segment, &bus, &device, &function)) ||
        EFI_ERROR(pci->Pci.Read(pci, EfiPciIoWidthUint32, 0, PCI_HEADER_WORDS, header)) ||
        header[PCI_ID / 4] == PCI_ID_NONE || segment > UINT16_MAX || bus > UINT8_MAX)
        return false;
    *f = (struct pci_function){
        .segment = (uint16_t)segment,
        .bus = (uint8_t)bus,
        .device = (uint8_t)device,
        .function = (uint8_t)function,
    };
    bus_masters_decode(header, f);
    return true;
}

static void read_functions(struct loader *l, EFI_HANDLE *handles, UINTN count)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    for (UINTN i = 0; i < count; i++) {
        EFI_PCI_IO_PROTOCOL *pci;
        if (!EFI_ERROR(l->services->HandleProtocol(handles[i], &guid, (void **)&pci)) &&
            read_function(pci, &l->functions[l->functions_count]))
            l->functions_count++;
    }
}

// A function outside segment 0 whose registers can't be reached is left to the kernel.
static void locate_config(struct loader *l, struct pci_function *f)
{
    struct boot_paging_page page;
    if (f->segment == 0)
        return;
    f->config = mcfg_config_address(l->handoff->rsdp, f->segment, f->bus, f->device, f->function);
    if (!f->config || !boot_paging_find(l->root, paging_has_five_levels(), f->config, &page) ||
        page.phys != f->config || !page.write)
        f->stop = false;
}

bool bus_masters_find(struct loader *l, struct problem *p)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    uint64_t base;
    EFI_STATUS status = l->services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles);
    if (status == EFI_NOT_FOUND || (status == EFI_SUCCESS && !count))
        return true;
    if (EFI_ERROR(status))
        return problem_set(p, "boot-pci", "firmware does not list its PCI functions: %s",
                           status_name(status));
    bool ok = memory_take(l, MEMORY_BRIEF, count * sizeof(struct pci_function), MEMORY_ANYWHERE,
                          "the list of PCI functions", &base, p);
    if (ok) {
        l->functions = (struct pci_function *)base;
        read_functions(l, handles, count);
        bus_masters_choose(l->functions, l->functions_count);
        for (size_t i = 0; i < l->functions_count; i++)
            locate_config(l, &l->functions[i]);
    }
    l->services->FreePool(handles);
    return ok;
}

static void select_register(const struct pci_function *f, unsigned offset)
{
    port_write32(PORT_CONFIG_ADDRESS, PCI_ADDRESS_ENABLE |
                                          (uint32_t)field_put(PCI_ADDRESS_BUS, f->bus) |
                                          (uint32_t)field_put(PCI_ADDRESS_DEVICE, f->device) |
                                          (uint32_t)field_put(PCI_ADDRESS_FUNCTION, f->function) |
                                          (uint32_t)field_put(PCI_ADDRESS_REGISTER, offset / 4));
}

static uint32_t read_id(const struct pci_function *f)
{
    if (f->config)
        return mmio_read32((volatile void *)(f->config + PCI_ID));
    select_register(f, PCI_ID);
    return port_read32(PORT_CONFIG_DATA);
}

static uint16_t read_command(const struct pci_function *f)
{
    if (f->config)
        return mmio_read16((volatile void *)(f->config + PCI_COMMAND));
    select_register(f, PCI_COMMAND);
    return port_read16(PORT_CONFIG_DATA);
}

static void write_command(const struct pci_function *f, uint16_t value)
{
    if (f->config) {
        mmio_write16((volatile void *)(f->config + PCI_COMMAND), value);
        return;
    }
    select_register(f, PCI_COMMAND);
    port_write16(PORT_CONFIG_DATA, value);
}

// Another id at the same place: the function is behind a controller such as VMD, which numbers its
// buses on its own; stopping the controller stops it. Some are off already: their drivers did it.
// The last read also waits for what the function had under way, since its completion can't pass
// earlier posted writes (PCIe Base 6.0, 2.4.1).
static bool stop(const struct pci_function *f)
{
    if (read_id(f) != f->id)
        return false;
    uint16_t command = read_command(f);
    if (!(command & PCI_COMMAND_BUS_MASTER))
        return false;
    write_command(f, command & (uint16_t)~PCI_COMMAND_BUS_MASTER);
    return !(read_command(f) & PCI_COMMAND_BUS_MASTER);
}

static void note(struct handoff *h, const struct pci_function *f)
{
    h->bus_masters_stopped++;
    if (f->bridge || h->masters == HANDOFF_MASTERS_MAX)
        return;
    h->master[h->masters++] = (struct handoff_master){
        .segment = f->segment,
        .bdf = (uint16_t)(f->bus << 8 | f->device << 3 | f->function),
    };
}

// Endpoints before bridges: what an endpoint still had to write then has its way up.
void bus_masters_stop(struct loader *l)
{
    for (unsigned bridges = 0; bridges < 2; bridges++)
        for (size_t i = 0; i < l->functions_count; i++)
            if (l->functions[i].stop && l->functions[i].bridge == bridges && stop(&l->functions[i]))
                note(l->handoff, &l->functions[i]);
}
