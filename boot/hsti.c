// SPDX-License-Identifier: BSD-2-Clause
// Hardware Security Test Interfaces: adapters that tell of the platform's security (UEFI 2.10, 11.12).

#include "boot/hsti_decode.h"
#include "boot/loader.h"

#define BLOCK_BYTES_MAX 65536 // its error text can be long; a larger one isn't looked at

// GNU-EFI has no header for this protocol.
struct adapter_information {
    EFI_STATUS (*get)(struct adapter_information *adapter, EFI_GUID *type, void **block,
                      UINTN *bytes);
};

static void read(struct loader *l, struct adapter_information *adapter)
{
    EFI_GUID security = {
        0x6be272c7, 0x1320, 0x4ccd, { 0x90, 0x17, 0xd4, 0x61, 0x2c, 0x01, 0x2b, 0x25 }
    };
    struct handoff *h = l->handoff;
    struct handoff_hsti one;
    void *block = NULL;
    UINTN bytes = 0;
    if (EFI_ERROR(adapter->get(adapter, &security, &block, &bytes)) || !block)
        return; // an adapter of another kind, such as a network card
    if (bytes > BLOCK_BYTES_MAX || !hsti_decode(block, bytes, &one))
        h->hstis_bad++;
    else if (h->hstis++ < HANDOFF_HSTI_MAX)
        h->hsti[h->hstis - 1] = one;
    l->services->FreePool(block);
}

void hsti_read(struct loader *l)
{
    EFI_GUID guid = {
        0xe5dd1403, 0xd622, 0xc24e, { 0x84, 0x88, 0xc7, 0x1b, 0x17, 0xf5, 0xe8, 0x02 }
    };
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;
    if (EFI_ERROR(l->services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
        return;
    for (UINTN i = 0; i < count; i++) {
        struct adapter_information *adapter;
        if (!EFI_ERROR(l->services->HandleProtocol(handles[i], &guid, (void **)&adapter)))
            read(l, adapter);
    }
    l->services->FreePool(handles);
}
