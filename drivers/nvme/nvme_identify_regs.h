// SPDX-License-Identifier: BSD-2-Clause
// What Identify returns, as the wire has it. Names and sections are those of the NVMe Base
// Specification 2.0, or of the NVM Command Set Specification 1.0 where that is said.
#pragma once

#include "lib/bits.h"
#include "lib/types.h"

// clang-format off: it would undo the indentation of fields below their member

// CDW10 of Identify (5.17); CDW11 names the command set
#define   NVME_IDENTIFY_CNS BITS32(7, 0)
#define   NVME_IDENTIFY_CNTID BITS32(31, 16)
#define NVME_CNS_NAMESPACE 0x00
#define NVME_CNS_CONTROLLER 0x01
#define NVME_CNS_ACTIVE_LIST 0x02
#define NVME_CNS_DESCRIPTORS 0x03
#define NVME_CNS_CSI_NAMESPACE 0x05
#define NVME_CNS_CSI_CONTROLLER 0x06
#define NVME_CNS_ALLOCATED_LIST 0x10
#define NVME_CNS_ATTACHED_CONTROLLERS 0x12
#define NVME_CNS_CONTROLLERS 0x13
#define   NVME_IDENTIFY_CSI BITS32(31, 24)
#define NVME_CSI_NVM 0x00
#define NVME_CSI_ZONED 0x02
#define NVME_NSID_LIST_ENTRIES 1024
#define NVME_NSID_LAST 0xfffffffeu
#define NVME_NSID_ALL 0xffffffffu

// ---- the controller, CNS 01h (5.17.2.1) ----

struct PACKED nvme_power_state {
    uint16_t mp; // most power: 0.01 W units, or 0.0001 W where MXPS says so
    uint8_t reserved2;
    uint8_t flags;
#define   NVME_PSD_MXPS BIT32(0)
#define   NVME_PSD_NOPS BIT32(1) // takes no I/O
    uint32_t enlat, exlat; // microseconds to enter and to leave
    uint8_t rrt, rrl, rwt, rwl; // 4:0; relative: less is better
#define   NVME_PSD_RELATIVE BITS32(4, 0)
    uint16_t idlp; // idle power, in units of IPS
    uint8_t ips;
    uint8_t reserved19;
    uint16_t actp; // active power, in units of APS
    uint8_t apw_aps;
    uint8_t reserved23[32 - 23];
#define   NVME_PSD_SCALE BITS32(7, 6) // 0 not told, 1: 0.0001 W, 2: 0.01 W
#define   NVME_PSD_APW BITS32(2, 0)
};
static_assert(sizeof(struct nvme_power_state) == 32, "NVMe Base 2.0, 5.17.2.1");
static_assert(offsetof(struct nvme_power_state, rrt) == 12, "NVMe Base 2.0, 5.17.2.1");
static_assert(offsetof(struct nvme_power_state, actp) == 20, "NVMe Base 2.0, 5.17.2.1");

#define NVME_POWER_STATES 32

struct PACKED nvme_identify_controller {
    uint16_t vid, ssvid;
    char sn[20];
    char mn[40];
    char fr[8];
    uint8_t rab;
    uint8_t ieee[3]; // lowest byte first
    uint8_t cmic;
#define   NVME_CMIC_MULTI_PORT BIT32(0)
#define   NVME_CMIC_MULTI_CTRL BIT32(1)
#define   NVME_CMIC_VIRTUAL BIT32(2)
#define   NVME_CMIC_ANA BIT32(3)
    uint8_t mdts; // most data of one command: (4096 << CAP.MPSMIN) << mdts; 0: no limit
    uint16_t cntlid;
    uint32_t ver;
    uint32_t rtd3r;
    uint32_t rtd3e; // microseconds that a shutdown may take; 0: not told
    uint32_t oaes;
#define   NVME_AEN_NAMESPACES BIT32(8) // these bits enable the events, too (5.27.1.8)
#define   NVME_AEN_FIRMWARE BIT32(9)
#define   NVME_AEN_ANA BIT32(11)
#define   NVME_AEN_LBA_STATUS BIT32(13)
#define   NVME_AEN_SHUTDOWN BIT32(15)
#define   NVME_AEN_ZONES BIT32(27)
    uint32_t ctratt;
#define   NVME_CTRATT_ELBAS BIT32(15) // extended LBA formats
    uint16_t rrls;
    uint8_t reserved102[111 - 102];
    uint8_t cntrltype; // 0 not told, 1 I/O, 2 discovery, 3 administrative
    uint8_t fguid[16];
    uint16_t crdt1, crdt2, crdt3; // delays before a retry, 100 ms units
    uint8_t reserved134[253 - 134];
    uint8_t nvmsr, vwci, mec;
    uint16_t oacs;
#define   NVME_OACS_SECURITY BIT32(0)
#define   NVME_OACS_FORMAT BIT32(1)
#define   NVME_OACS_FIRMWARE BIT32(2)
#define   NVME_OACS_NAMESPACES BIT32(3)
#define   NVME_OACS_SELF_TEST BIT32(4)
#define   NVME_OACS_DIRECTIVES BIT32(5)
#define   NVME_OACS_VIRTUALISATION BIT32(7)
#define   NVME_OACS_DBBUF BIT32(8)
    uint8_t acl;  // aborts at a time, 0-based
    uint8_t aerl; // Asynchronous Event Requests at a time, 0-based
    uint8_t frmw;
#define   NVME_FRMW_SLOT1_RO BIT32(0)
#define   NVME_FRMW_SLOTS BITS32(3, 1)
#define   NVME_FRMW_NO_RESET BIT32(4)
    uint8_t lpa;
#define   NVME_LPA_SMART_NS BIT32(0)
#define   NVME_LPA_EFFECTS BIT32(1)
#define   NVME_LPA_EXTENDED BIT32(2) // NUMDU and LPOU count
    uint8_t elpe; // entries of the error log, 0-based
    uint8_t npss; // power states, 0-based
    uint8_t avscc;
    uint8_t apsta;
    uint16_t wctemp, cctemp; // kelvin: warning and critical
    uint16_t mtfa;           // firmware activation may take so long: 100 ms units
    uint32_t hmpre, hmmin;   // 4 KiB units
    uint64_t tnvmcap[2], unvmcap[2]; // bytes
    uint32_t rpmbs;
    uint16_t edstt; // minutes that an extended self-test takes
    uint8_t dsto;
    uint8_t fwug;
    uint16_t kas; // keep alive granularity, 100 ms units
    uint16_t hctma, mntmt, mxtmt;
    uint32_t sanicap;
    uint32_t hmminds;
    uint16_t hmmaxd;
    uint16_t nsetidmax, endgidmax;
    uint8_t anatt; // seconds that an ANA change may take
    uint8_t anacap;
    uint32_t anagrpmax, nanagrpid;
    uint32_t pels;
    uint16_t domainid;
    uint8_t reserved358[368 - 358];
    uint64_t megcap[2];
    uint8_t reserved384[512 - 384];
    uint8_t sqes, cqes; // log2 of entry sizes: 3:0 required, 7:4 largest
#define   NVME_ES_REQUIRED BITS32(3, 0)
#define   NVME_ES_LARGEST BITS32(7, 4)
    uint16_t maxcmd;
    uint32_t nn; // the largest valid NSID
    uint16_t oncs;
#define   NVME_ONCS_COMPARE BIT32(0)
#define   NVME_ONCS_WRITE_UNCORRECTABLE BIT32(1)
#define   NVME_ONCS_DSM BIT32(2)
#define   NVME_ONCS_WRITE_ZEROES BIT32(3)
#define   NVME_ONCS_SAVE_SELECT BIT32(4) // the SV and SEL bits of features
#define   NVME_ONCS_RESERVATIONS BIT32(5)
#define   NVME_ONCS_TIMESTAMP BIT32(6)
#define   NVME_ONCS_VERIFY BIT32(7)
#define   NVME_ONCS_COPY BIT32(8)
    uint16_t fuses;
#define   NVME_FUSES_COMPARE_WRITE BIT32(0)
    uint8_t fna;
    uint8_t vwc;
#define   NVME_VWC_PRESENT BIT32(0)
#define   NVME_VWC_FLUSH_ALL BITS32(2, 1) // 2: Flush doesn't take NSID ffffffffh, 3: it does
    uint16_t awun, awupf; // blocks written atomically, 0-based; as any namespace is formatted
    uint8_t icsvscc;
    uint8_t nwpc;
    uint16_t acwu;
    uint16_t ocfs; // copy descriptor formats
    uint32_t sgls;
#define   NVME_SGLS_SUPPORT BITS32(1, 0) // 1: any alignment, 2: dwords
#define   NVME_SGLS_LARGE BIT32(18)      // longer than the data is fine
    uint32_t mnan;
    uint64_t maxdna[2];
    uint32_t maxcna;
    uint8_t reserved564[768 - 564];
    char subnqn[256];
    uint8_t reserved1024[1792 - 1024];
    uint32_t ioccsz, iorcsz; // these to msdbd, ofcs: fabrics alone
    uint16_t icdoff;
    uint8_t fcatt;
    uint8_t msdbd;
    uint16_t ofcs;
    uint8_t reserved1806[2048 - 1806];
    struct nvme_power_state psd[NVME_POWER_STATES];
    uint8_t vs[4096 - 3072];
};
static_assert(sizeof(struct nvme_identify_controller) == 4096, "NVMe Base 2.0, 5.17.2.1");

#define NVME_AT(member, offset)                                                                    \
    static_assert(offsetof(struct nvme_identify_controller, member) == (offset),                   \
                  "NVMe Base 2.0, 5.17.2.1")
NVME_AT(mdts, 77);
NVME_AT(rtd3e, 88);
NVME_AT(oaes, 92);
NVME_AT(cntrltype, 111);
NVME_AT(crdt1, 128);
NVME_AT(oacs, 256);
NVME_AT(frmw, 260);
NVME_AT(wctemp, 266);
NVME_AT(mtfa, 270);
NVME_AT(tnvmcap, 280);
NVME_AT(rpmbs, 312);
NVME_AT(kas, 320);
NVME_AT(sanicap, 328);
NVME_AT(anagrpmax, 344);
NVME_AT(megcap, 368);
NVME_AT(sqes, 512);
NVME_AT(nn, 516);
NVME_AT(oncs, 520);
NVME_AT(awun, 526);
NVME_AT(acwu, 532);
NVME_AT(sgls, 536);
NVME_AT(maxcna, 560);
NVME_AT(subnqn, 768);
NVME_AT(ofcs, 1804);
NVME_AT(psd, 2048);
#undef NVME_AT

// ---- a namespace, CNS 00h (NVM Command Set 1.0, 4.1.5.1) ----

struct PACKED nvme_identify_namespace {
    uint64_t nsze; // logical blocks
    uint64_t ncap;
    uint64_t nuse;
    uint8_t nsfeat;
#define   NVME_NSFEAT_THIN BIT32(0)
#define   NVME_NSFEAT_ATOMIC BIT32(1) // nawun, nawupf, nacwu count, not the controller's
#define   NVME_NSFEAT_DAE BIT32(2)    // reads of deallocated blocks fail
#define   NVME_NSFEAT_UIDREUSE BIT32(3)
#define   NVME_NSFEAT_OPTPERF BIT32(4) // npwg to nows count
    uint8_t nlbaf; // formats, 0-based
    uint8_t flbas;
#define   NVME_FLBAS_LOW BITS32(3, 0)
#define   NVME_FLBAS_EXTENDED BIT32(4) // metadata follows each block's data in one buffer
#define   NVME_FLBAS_HIGH BITS32(6, 5) // counts where there are more than 16 formats
    uint8_t mc;
#define   NVME_MC_EXTENDED BIT32(0)
#define   NVME_MC_SEPARATE BIT32(1)
    uint8_t dpc;
#define   NVME_DPC_TYPES BITS32(2, 0) // bit n: protection type n + 1
#define   NVME_DPC_FIRST BIT32(3)
#define   NVME_DPC_LAST BIT32(4)
    uint8_t dps;
#define   NVME_DPS_TYPE BITS32(2, 0) // 0: no protection information
#define   NVME_DPS_FIRST BIT32(3)    // it is the first bytes of the metadata, not the last
    uint8_t nmic;
#define   NVME_NMIC_SHARED BIT32(0)
    uint8_t rescap;
    uint8_t fpi;
#define   NVME_FPI_REMAINS BITS32(6, 0) // percent still to be formatted
#define   NVME_FPI_SUPPORTED BIT32(7)
    uint8_t dlfeat;
#define   NVME_DLFEAT_READ BITS32(2, 0) // deallocated blocks read as: 1 zeroes, 2 ones
#define   NVME_DLFEAT_ZEROES BIT32(3)   // Write Zeroes may deallocate
#define   NVME_DLFEAT_GUARD BIT32(4)
    uint16_t nawun, nawupf, nacwu; // blocks written atomically, 0-based
    uint16_t nabsn, nabo, nabspf;  // boundaries that end atomicity
    uint16_t noiob; // I/O is slower across multiples of it, in blocks; 0: no such boundary
    uint64_t nvmcap[2];
    uint16_t npwg, npwa, npdg, npda; // preferred granularity and alignment, 0-based blocks:
    uint16_t nows;                   // of writes, of deallocation; best size of a write
    uint16_t mssrl; // Copy: blocks of one range, blocks of all, ranges (0-based)
    uint32_t mcl;
    uint8_t msrc;
    uint8_t reserved81;
    uint8_t nulbaf; // formats behind those of nlbaf that a host has to ask for (1.0b)
    uint8_t reserved83[92 - 83];
    uint32_t anagrpid;
    uint8_t reserved96[99 - 96];
    uint8_t nsattr;
#define   NVME_NSATTR_PROTECTED BIT32(0)
    uint16_t nvmsetid;
    uint16_t endgid;
    uint8_t nguid[16];
    uint8_t eui64[8];
    uint32_t lbaf[64];
#define   NVME_LBAF_MS BITS32(15, 0)     // metadata bytes for each block
#define   NVME_LBAF_LBADS BITS32(23, 16) // log2 of the block size
#define   NVME_LBAF_RP BITS32(25, 24)    // 0 best ... 3 degraded
    uint8_t vs[4096 - 384];
};
static_assert(sizeof(struct nvme_identify_namespace) == 4096, "NVM Command Set 1.0, 4.1.5.1");

#define NVME_AT(member, offset)                                                                    \
    static_assert(offsetof(struct nvme_identify_namespace, member) == (offset),                    \
                  "NVM Command Set 1.0, 4.1.5.1")
NVME_AT(flbas, 26);
NVME_AT(dps, 29);
NVME_AT(nmic, 30);
NVME_AT(dlfeat, 33);
NVME_AT(nawun, 34);
NVME_AT(noiob, 46);
NVME_AT(nvmcap, 48);
NVME_AT(npwg, 64);
NVME_AT(mssrl, 74);
NVME_AT(msrc, 80);
NVME_AT(nulbaf, 82);
NVME_AT(anagrpid, 92);
NVME_AT(nsattr, 99);
NVME_AT(nguid, 104);
NVME_AT(eui64, 120);
NVME_AT(lbaf, 128);
NVME_AT(vs, 384);
#undef NVME_AT

// ---- a namespace's NVM command set, CNS 05h, CSI 00h (NVM Command Set 1.0, 4.1.5.3) ----

struct PACKED nvme_identify_nvm_namespace {
    uint64_t lbstm; // storage tag mask
    uint8_t pic;
    uint8_t reserved9[12 - 9];
    uint32_t elbaf[64];
#define   NVME_ELBAF_STS BITS32(6, 0) // bits of the storage tag
#define   NVME_ELBAF_PIF BITS32(8, 7) // guard of: 0 16, 1 32, 2 64 bits
    uint8_t reserved268[4096 - 268];
};
static_assert(sizeof(struct nvme_identify_nvm_namespace) == 4096, "NVM Command Set 1.0, 4.1.5.3");
static_assert(offsetof(struct nvme_identify_nvm_namespace, elbaf) == 12,
              "NVM Command Set 1.0, 4.1.5.3");

// ---- a zoned namespace, CNS 05h, CSI 02h (Zoned Namespace Command Set 1.1, 4.1.5.1) ----

struct PACKED nvme_zone_format {
    uint64_t zsze; // blocks of a zone
    uint8_t zdes;  // bytes of its descriptor extension, 64 B units
    uint8_t reserved9[16 - 9];
};

struct PACKED nvme_identify_zoned_namespace {
    uint16_t zoc;
    uint16_t ozcs;
#define   NVME_OZCS_READ_ACROSS BIT32(0) // a read may cross the end of a zone
    uint32_t mar, mor; // most active and open zones, 0-based; all ones: no limit
    uint32_t rrl, frl;
    uint8_t reserved20[2816 - 20];
    struct nvme_zone_format lbafe[64];
    uint8_t vs[4096 - 3840];
};
static_assert(sizeof(struct nvme_identify_zoned_namespace) == 4096, "ZNS 1.1, 4.1.5.1");
static_assert(offsetof(struct nvme_identify_zoned_namespace, lbafe) == 2816,
              "ZNS 1.1, 4.1.5.1");

// ---- namespace identification descriptors, CNS 03h (5.17.2.3) ----

struct PACKED nvme_id_descriptor {
    uint8_t nidt;
#define   NVME_NIDT_EUI64 1
#define   NVME_NIDT_NGUID 2
#define   NVME_NIDT_UUID 3
#define   NVME_NIDT_CSI 4
    uint8_t nidl; // bytes of the identifier that follows; 0 ends the list
    uint8_t reserved2[2];
};
static_assert(sizeof(struct nvme_id_descriptor) == 4, "NVMe Base 2.0, 5.17.2.3");

// clang-format on
