// SPDX-License-Identifier: BSD-2-Clause
// ckdisk: checks on the host what the job or the burn-in has written to a disk image, by the source
// that they check it with themselves (lib/pattern.h, lib/written.h).
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/parse.h"
#include "lib/pattern.h"
#include "lib/stamp.h"
#include "lib/string.h"
#include "lib/written.h"

#define ERRORS_SHOWN 5
#define SHARES_MAX 64

// What one worker has written: so many writes of a part of the disk, in an order that follows from
// the seed.
struct share {
    uint64_t first, places, writes;
};

struct task {
    const char *serial;
    const char *path;
    uint32_t nsid, lba_size, bs;
    uint64_t seed;
    bool random;
    struct share shares[SHARES_MAX];
    size_t shares_count;

    const uint8_t *map;
    uint64_t bytes;
    uint64_t counts[PATTERN_VERDICTS], bad; // blocks
};

static const char usage[] =
    "usage: ckdisk --serial S [--nsid N] [--lba BYTES] [--seed N] FILE\n"
    "       ckdisk --serial S ... --seed N --bs BYTES [--random] --share FIRST:PLACES:WRITES... "
    "FILE\n"
    "Checks a disk image that was written by app=job with verify=crc32c, or by app=burnin. "
    "Without\n"
    "--share: each block of the file holds its own data, of any write. With it: each place (BYTES\n"
    "each) that the first WRITES writes of a share have written holds the last of these, or a "
    "later\n"
    "one; other places are not looked at. The JSON lines `durable` of the job tell the numbers.\n"
    "  --serial S   serial number of the disk\n"
    "  --nsid N     namespace id (default 1)\n"
    "  --lba BYTES  block size (default 512)\n"
    "  --seed N     seed of the run; without one, that of each block itself\n"
    "  --random     the writes were random (rw=randwrite, randrw)\n"
    "Prints how many blocks are good, stale, torn and so on; exit status 1 if any is not good.\n";

static noreturn void PRINTF_LIKE(1, 2) die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("ckdisk: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static uint64_t number(const char *option, const char *text, size_t length)
{
    uint64_t value;
    if (!parse_size(text, length, &value))
        die("%s: \"%.*s\" is not a number", option, (int)length, text);
    return value;
}

static uint32_t small_number(const char *option, const char *text)
{
    uint64_t value = number(option, text, strlen(text));
    if (!value || value > UINT32_MAX)
        die("%s: %s is out of range", option, text);
    return (uint32_t)value;
}

static void add_share(struct task *t, const char *text)
{
    const char *second = strchr(text, ':'), *third = second ? strchr(second + 1, ':') : NULL;
    if (!third)
        die("--share: \"%s\" is not FIRST:PLACES:WRITES", text);
    if (t->shares_count == SHARES_MAX)
        die("more than %d shares", SHARES_MAX);
    struct share *s = &t->shares[t->shares_count++];
    s->first = number("--share", text, (size_t)(second - text));
    s->places = number("--share", second + 1, (size_t)(third - second - 1));
    s->writes = number("--share", third + 1, strlen(third + 1));
    if (!s->places)
        die("--share: \"%s\" has no places", text);
}

static void set_option(struct task *t, int option, const char *value)
{
    switch (option) {
    case 's':
        t->serial = value;
        break;
    case 'n':
        t->nsid = small_number("--nsid", value);
        break;
    case 'l':
        t->lba_size = small_number("--lba", value);
        break;
    case 'b':
        t->bs = small_number("--bs", value);
        break;
    case 'd':
        t->seed = number("--seed", value, strlen(value));
        break;
    case 'r':
        t->random = true;
        break;
    case 'w':
        add_share(t, value);
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default: // getopt has said what is wrong
        fputs("try: ckdisk --help\n", stderr);
        exit(2);
    }
}

static void check_task(const struct task *t)
{
    if (!t->serial)
        die("--serial: give the disk's serial number");
    if (!t->path)
        die("no file is named; try: ckdisk --help");
    if (t->lba_size < 512 || t->lba_size > 65536 || t->lba_size % 8)
        die("--lba: %u is no block size", t->lba_size);
    if (t->shares_count && (!t->seed || !t->bs || t->bs % t->lba_size))
        die("--share needs --seed, and --bs with a multiple of the block size, %u", t->lba_size);
}

static struct task parse_arguments(int argc, char **argv)
{
    static const struct option options[] = {
        { "serial", required_argument, NULL, 's' },
        { "nsid", required_argument, NULL, 'n' },
        { "lba", required_argument, NULL, 'l' },
        { "bs", required_argument, NULL, 'b' },
        { "seed", required_argument, NULL, 'd' },
        { "random", no_argument, NULL, 'r' },
        { "share", required_argument, NULL, 'w' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct task t = { .nsid = 1, .lba_size = 512 };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        set_option(&t, option, optarg);
    if (argc - optind > 1)
        die("one file at a time, not %d", argc - optind);
    t.path = argv[optind];
    check_task(&t);
    return t;
}

static void map_file(struct task *t)
{
    struct stat st;
    int fd = open(t->path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st))
        die("%s: %s", t->path, strerror(errno));
    t->bytes = (uint64_t)st.st_size;
    if (!t->bytes || t->bytes % t->lba_size)
        die("%s: %llu bytes are not a whole number of blocks of %u", t->path,
            (unsigned long long)t->bytes, t->lba_size);
    t->map = mmap(NULL, t->bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (t->map == MAP_FAILED)
        die("%s: %s", t->path, strerror(errno));
}

static void check_block(struct task *t, uint64_t tag, uint64_t lba, uint32_t oldest)
{
    const uint8_t *block = t->map + lba * t->lba_size;
    struct pattern_id id;
    struct problem p;
    uint32_t sequence;
    pattern_identify(block, &id, &sequence);
    id.tag = tag;
    id.lba = lba;
    if (t->seed)
        id.seed = t->seed;
    enum pattern_verdict verdict = pattern_check(block, t->lba_size, &id, oldest, UINT32_MAX, &p);
    t->counts[verdict]++;
    if (verdict != PATTERN_GOOD && t->bad++ < ERRORS_SHOWN)
        fprintf(stderr, "ckdisk: %s: LBA %llu %s\n", t->path, (unsigned long long)lba, p.message);
}

static void check_share(struct task *t, uint64_t tag, const struct share *s)
{
    struct written w;
    uint64_t blocks = t->bs / t->lba_size;
    written_init(&w, s->first, s->places, t->random, t->seed, NULL);
    for (uint64_t place = s->first; place < s->first + s->places; place++) {
        uint32_t oldest = written_times(&w, place, s->writes);
        if (place >= t->bytes / t->bs)
            die("--share: the file ends before place %llu", (unsigned long long)place);
        for (uint64_t i = 0; oldest && i < blocks; i++)
            check_block(t, tag, place * blocks + i, oldest);
    }
}

int main(int argc, char **argv)
{
    struct task t = parse_arguments(argc, argv);
    uint64_t tag = stamp_tag(t.serial, t.nsid);
    map_file(&t);
    for (size_t i = 0; i < t.shares_count; i++)
        check_share(&t, tag, &t.shares[i]);
    for (uint64_t lba = 0; !t.shares_count && lba < t.bytes / t.lba_size; lba++)
        check_block(&t, tag, lba, 0);
    for (unsigned v = 0; v < PATTERN_VERDICTS; v++)
        if (t.counts[v])
            printf("%s %llu\n", pattern_verdict_name(v), (unsigned long long)t.counts[v]);
    return t.bad != 0;
}
