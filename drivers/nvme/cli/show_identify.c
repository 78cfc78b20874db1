// SPDX-License-Identifier: BSD-2-Clause
// id-ctrl and id-ns.
#include "drivers/nvme/cli/show.h"
#include "drivers/nvme/identify.h"
#include "lib/format.h"

#define CTRL(member, form) SHEET_FIELD(struct nvme_identify_controller, member, SHEET_##form)
#define NS(member, form) SHEET_FIELD(struct nvme_identify_namespace, member, SHEET_##form)

#define CTRL_WIDTH 10
#define NS_WIDTH 8

// clang-format off: one row a line
static const struct sheet_field controller[] = {
    CTRL(vid, HEX),
    CTRL(ssvid, HEX),
    CTRL(sn, TEXT),
    CTRL(mn, TEXT),
    CTRL(fr, TEXT),
    CTRL(rab, DEC),
    CTRL(ieee, OUI),
    CTRL(cmic, HEX),
    CTRL(mdts, DEC),
    CTRL(cntlid, HEX),
    CTRL(ver, HEX),
    CTRL(rtd3r, HEX),
    CTRL(rtd3e, HEX),
    CTRL(oaes, HEX),
    CTRL(ctratt, HEX),
    CTRL(rrls, HEX),
    CTRL(cntrltype, DEC),
    CTRL(fguid, UUID),
    CTRL(crdt1, DEC),
    CTRL(crdt2, DEC),
    CTRL(crdt3, DEC),
    CTRL(nvmsr, DEC),
    CTRL(vwci, DEC),
    CTRL(mec, DEC),
    CTRL(oacs, HEX),
    CTRL(acl, DEC),
    CTRL(aerl, DEC),
    CTRL(frmw, HEX),
    CTRL(lpa, HEX),
    CTRL(elpe, DEC),
    CTRL(npss, DEC),
    CTRL(avscc, HEX),
    CTRL(apsta, HEX),
    CTRL(wctemp, DEC),
    CTRL(cctemp, DEC),
    CTRL(mtfa, DEC),
    CTRL(hmpre, DEC),
    CTRL(hmmin, DEC),
    CTRL(tnvmcap, DEC),
    CTRL(unvmcap, DEC),
    CTRL(rpmbs, HEX),
    CTRL(edstt, DEC),
    CTRL(dsto, DEC),
    CTRL(fwug, DEC),
    CTRL(kas, DEC),
    CTRL(hctma, HEX),
    CTRL(mntmt, DEC),
    CTRL(mxtmt, DEC),
    CTRL(sanicap, HEX),
    CTRL(hmminds, DEC),
    CTRL(hmmaxd, DEC),
    CTRL(nsetidmax, DEC),
    CTRL(endgidmax, DEC),
    CTRL(anatt, DEC),
    CTRL(anacap, DEC),
    CTRL(anagrpmax, DEC),
    CTRL(nanagrpid, DEC),
    CTRL(pels, DEC),
    CTRL(domainid, DEC),
    CTRL(megcap, DEC),
    CTRL(sqes, HEX),
    CTRL(cqes, HEX),
    CTRL(maxcmd, DEC),
    CTRL(nn, DEC),
    CTRL(oncs, HEX),
    CTRL(fuses, HEX),
    CTRL(fna, HEX),
    CTRL(vwc, HEX),
    CTRL(awun, DEC),
    CTRL(awupf, DEC),
    CTRL(icsvscc, DEC),
    CTRL(nwpc, DEC),
    CTRL(acwu, DEC),
    CTRL(ocfs, HEX),
    CTRL(sgls, HEX),
    CTRL(mnan, DEC),
    CTRL(maxdna, DEC),
    CTRL(maxcna, DEC),
    CTRL(subnqn, TEXT),
    CTRL(ioccsz, DEC),
    CTRL(iorcsz, DEC),
    CTRL(icdoff, DEC),
    CTRL(fcatt, HEX),
    CTRL(msdbd, DEC),
    CTRL(ofcs, DEC),
};

static const struct sheet_field namespace[] = {
    NS(nsze, HEX),
    NS(ncap, HEX),
    NS(nuse, HEX),
    NS(nsfeat, HEX),
    NS(nlbaf, DEC),
    NS(flbas, HEX),
    NS(mc, HEX),
    NS(dpc, HEX),
    NS(dps, HEX),
    NS(nmic, HEX),
    NS(rescap, HEX),
    NS(fpi, HEX),
    NS(dlfeat, DEC),
    NS(nawun, DEC),
    NS(nawupf, DEC),
    NS(nacwu, DEC),
    NS(nabsn, DEC),
    NS(nabo, DEC),
    NS(nabspf, DEC),
    NS(noiob, DEC),
    NS(nvmcap, DEC),
};

// Only where NSFEAT says that they count.
static const struct sheet_field performance[] = {
    NS(npwg, DEC),
    NS(npwa, DEC),
    NS(npdg, DEC),
    NS(npda, DEC),
    NS(nows, DEC),
};

static const struct sheet_field namespace_rest[] = {
    NS(mssrl, DEC),
    NS(mcl, DEC),
    NS(msrc, DEC),
    NS(nulbaf, DEC),
    NS(anagrpid, DEC),
    NS(nsattr, DEC),
    NS(nvmsetid, DEC),
    NS(endgid, DEC),
    NS(nguid, ID),
    NS(eui64, ID),
};
// clang-format on

#define POWER_BYTES 24

static const char *watts(unsigned value, unsigned scale, char to[POWER_BYTES])
{
    static const char *const unscaled[4] = { [0] = "-", [3] = "reserved" };
    if (scale == 1)
        format_text(to, POWER_BYTES, "%u.%04uW", value / 10000, value % 10000);
    else if (scale == 2)
        format_text(to, POWER_BYTES, "%u.%02uW", value / 100, value % 100);
    else
        format_text(to, POWER_BYTES, "%s", unscaled[scale]);
    return to;
}

static const char *workload(unsigned apw)
{
    static const char *const words[] = { "-", "1MiB 32 RW, 30s idle", "80K 128KiB SW" };
    return apw < ARRAY_SIZE(words) ? words[apw] : "reserved";
}

static void print_power_state(const struct sheet *s, unsigned i, const struct nvme_power_state *ps)
{
    char most[POWER_BYTES], idle[POWER_BYTES], active[POWER_BYTES];

    sheet_line(s, "ps   %4u : mp:%s %soperational enlat:%u exlat:%u rrt:%u rrl:%u", i,
               watts(ps->mp, ps->flags & NVME_PSD_MXPS ? 1 : 2, most),
               ps->flags & NVME_PSD_NOPS ? "non-" : "", ps->enlat, ps->exlat,
               ps->rrt & NVME_PSD_RELATIVE, ps->rrl & NVME_PSD_RELATIVE);
    sheet_line(s, "            rwt:%u rwl:%u idle_power:%s active_power:%s",
               ps->rwt & NVME_PSD_RELATIVE, ps->rwl & NVME_PSD_RELATIVE,
               watts(ps->idlp, (unsigned)field_get(NVME_PSD_SCALE, ps->ips), idle),
               watts(ps->actp, (unsigned)field_get(NVME_PSD_SCALE, ps->apw_aps), active));
    sheet_line(s, "            active_power_workload:%s",
               workload((unsigned)field_get(NVME_PSD_APW, ps->apw_aps)));
}

static void add_power_state(struct json *j, const struct nvme_power_state *ps)
{
    json_open(j, NULL);
    json_u64(j, "max_power", ps->mp);
    json_u64(j, "flags", ps->flags);
    json_u64(j, "entry_lat", ps->enlat);
    json_u64(j, "exit_lat", ps->exlat);
    json_u64(j, "read_tput", ps->rrt & NVME_PSD_RELATIVE);
    json_u64(j, "read_lat", ps->rrl & NVME_PSD_RELATIVE);
    json_u64(j, "write_tput", ps->rwt & NVME_PSD_RELATIVE);
    json_u64(j, "write_lat", ps->rwl & NVME_PSD_RELATIVE);
    json_u64(j, "idle_power", ps->idlp);
    json_u64(j, "idle_scale", field_get(NVME_PSD_SCALE, ps->ips));
    json_u64(j, "active_power", ps->actp);
    json_u64(j, "active_power_work", field_get(NVME_PSD_APW, ps->apw_aps));
    json_u64(j, "active_scale", field_get(NVME_PSD_SCALE, ps->apw_aps));
    json_close(j);
}

void nvme_show_controller(const struct sheet *s, const struct nvme_identify_controller *id)
{
    unsigned states = MIN(id->npss + 1u, NVME_POWER_STATES + 0u);

    sheet_fields(s, controller, ARRAY_SIZE(controller), CTRL_WIDTH, id);
    json_open_array(s->json, "psds");
    for (unsigned i = 0; i < states; i++) {
        print_power_state(s, i, &id->psd[i]);
        add_power_state(s->json, &id->psd[i]);
    }
    json_close_array(s->json);
}

static unsigned formats_of(const struct nvme_identify_namespace *ns)
{
    return MIN(ns->nlbaf + ns->nulbaf + 1u, (unsigned)ARRAY_SIZE(ns->lbaf));
}

static void add_format(const struct sheet *s, unsigned i, uint32_t lbaf, bool used)
{
    char rp[SHEET_HEX_BYTES];
    unsigned ms = (unsigned)field_get(NVME_LBAF_MS, lbaf);
    unsigned lbads = (unsigned)field_get(NVME_LBAF_LBADS, lbaf);

    sheet_line(s, "lbaf %2u : ms:%-3u lbads:%-2u rp:%s %s", i, ms, lbads,
               sheet_hex(field_get(NVME_LBAF_RP, lbaf), rp), used ? "(in use)" : "");
    json_open(s->json, NULL);
    json_u64(s->json, "ms", ms);
    json_u64(s->json, "ds", lbads);
    json_u64(s->json, "rp", field_get(NVME_LBAF_RP, lbaf));
    json_close(s->json);
}

void nvme_show_namespace(const struct sheet *s, const struct nvme_identify_namespace *ns)
{
    sheet_fields(s, namespace, ARRAY_SIZE(namespace), NS_WIDTH, ns);
    if (ns->nsfeat & NVME_NSFEAT_OPTPERF)
        sheet_fields(s, performance, ARRAY_SIZE(performance), NS_WIDTH, ns);
    sheet_fields(s, namespace_rest, ARRAY_SIZE(namespace_rest), NS_WIDTH, ns);
    json_open_array(s->json, "lbafs");
    for (unsigned i = 0; i < formats_of(ns); i++)
        add_format(s, i, ns->lbaf[i], i == nvme_format_index(ns));
    json_close_array(s->json);
}
