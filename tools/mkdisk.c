// SPDX-License-Identifier: BSD-2-Clause
// mkdisk: writes a disk image whose every block says whose and which it is (lib/stamp.h), or
// checks one. Runs on the host.
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
#include "lib/stamp.h"
#include "lib/string.h"

#define ERRORS_SHOWN 5
#define NSID_MAX 0xfffffffeu // NVMe Base 2.0, 3.2.1.2: FFFFFFFFh means all of them

struct task {
    const char *serial;
    const char *path;
    uint32_t nsid;
    uint32_t lba_size;
    uint64_t bytes;
    bool check;
};

static const char usage[] =
    "usage: mkdisk --serial S [--nsid N] [--lba 512|4096] --size BYTES FILE\n"
    "       mkdisk --serial S [--nsid N] [--lba 512|4096] --check FILE\n"
    "Writes a disk image of stamped blocks, which verify=crc32c of the job checks, or checks one.\n"
    "  --serial S   serial number that the disk will have (1 to 20 characters)\n"
    "  --nsid N     namespace id (default 1)\n"
    "  --lba BYTES  block size: 512 (default) or 4096\n"
    "  --size BYTES size of the image, with k, m, g or t if you like; a multiple of the block "
    "size\n"
    "  --check      check FILE instead of writing it; exit status 1 if a block is wrong\n";

static noreturn void PRINTF_LIKE(1, 2) die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("mkdisk: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static uint64_t number(const char *option, const char *text)
{
    uint64_t value;
    if (!parse_size(text, strlen(text), &value))
        die("%s: \"%s\" is not a number (write e.g. 512, 4k, 64m, 2g)", option, text);
    return value;
}

static void set_option(struct task *t, int option, const char *value)
{
    uint64_t n;
    switch (option) {
    case 's':
        t->serial = value;
        break;
    case 'n':
        n = number("--nsid", value);
        if (!n || n > NSID_MAX)
            die("--nsid: %s is not a namespace id (1 to 0x%x)", value, NSID_MAX);
        t->nsid = (uint32_t)n;
        break;
    case 'l':
        n = number("--lba", value);
        if (n != 512 && n != 4096)
            die("--lba: %s is neither 512 nor 4096", value);
        t->lba_size = (uint32_t)n;
        break;
    case 'z':
        t->bytes = number("--size", value);
        break;
    case 'c':
        t->check = true;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(0);
    default: // getopt has said what is wrong
        fputs("try: mkdisk --help\n", stderr);
        exit(2);
    }
}

static void check_task(const struct task *t)
{
    size_t length = t->serial ? strlen(t->serial) : 0;
    if (!length || length > 20)
        die("--serial: give the disk's serial number, 1 to 20 characters");
    if (!t->path)
        die("no file is named; try: mkdisk --help");
    if (t->check && t->bytes)
        die("--size and --check don't go together: the file's own size counts");
    if (!t->check && (!t->bytes || t->bytes % t->lba_size))
        die("--size: give a size that is a multiple of the block size, %u", t->lba_size);
}

static struct task parse_arguments(int argc, char **argv)
{
    static const struct option options[] = {
        { "serial", required_argument, NULL, 's' },
        { "nsid", required_argument, NULL, 'n' },
        { "lba", required_argument, NULL, 'l' },
        { "size", required_argument, NULL, 'z' },
        { "check", no_argument, NULL, 'c' },
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

// Regular files only: what is on a real disk stays there.
static int open_file(struct task *t)
{
    struct stat st;
    int fd = open(t->path, t->check ? O_RDONLY : O_RDWR | O_CREAT, 0666);
    if (fd < 0 || fstat(fd, &st))
        die("%s: %s", t->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        die("%s is not a regular file; mkdisk does not touch devices", t->path);
    if (t->check)
        t->bytes = (uint64_t)st.st_size;
    if (!t->bytes || t->bytes % t->lba_size)
        die("%s: %llu bytes are not a whole number of blocks of %u", t->path,
            (unsigned long long)t->bytes, t->lba_size);
    return fd;
}

static uint8_t *map_file(const struct task *t, int fd)
{
    // Space is taken now: running out of it later, in the map, would be a signal.
    int error = 0;
    if (!t->check)
        error = ftruncate(fd, (off_t)t->bytes) ? errno : posix_fallocate(fd, 0, (off_t)t->bytes);
    if (error)
        die("%s: %s", t->path, strerror(error));
    void *map =
        mmap(NULL, t->bytes, t->check ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die("%s: %s", t->path, strerror(errno));
    return map;
}

static uint64_t check_blocks(const struct task *t, const uint8_t *map, uint64_t tag)
{
    uint64_t wrong = 0;
    struct problem p;
    for (uint64_t lba = 0; lba < t->bytes / t->lba_size; lba++)
        if (!stamp_check(map + lba * t->lba_size, t->lba_size, tag, lba, &p) &&
            wrong++ < ERRORS_SHOWN)
            fprintf(stderr, "mkdisk: %s: LBA %llu %s\n", t->path, (unsigned long long)lba,
                    p.message);
    return wrong;
}

int main(int argc, char **argv)
{
    struct task t = parse_arguments(argc, argv);
    uint8_t *map = map_file(&t, open_file(&t));
    uint64_t tag = stamp_tag(t.serial, t.nsid), blocks = t.bytes / t.lba_size;
    if (t.check) {
        uint64_t wrong = check_blocks(&t, map, tag);
        if (wrong)
            fprintf(stderr, "mkdisk: %s: %llu of %llu blocks are wrong\n", t.path,
                    (unsigned long long)wrong, (unsigned long long)blocks);
        return wrong != 0;
    }
    for (uint64_t lba = 0; lba < blocks; lba++)
        stamp_fill(map + lba * t.lba_size, t.lba_size, tag, lba);
    return 0;
}
