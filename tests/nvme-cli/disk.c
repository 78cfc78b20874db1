// SPDX-License-Identifier: BSD-2-Clause
// Puts a disk of our making under Debian's nvme-cli, by LD_PRELOAD: /dev/nvme0 and /dev/nvme0n1 can be
// opened, and their admin commands are answered with the files of the folder $NVME_PAGES:
//
//   06-01       what opcode 06h returns where CDW10 ends in 01h: the data
//   0a-04.dw0   dword 0 of the completion of such a command, 4 bytes; without it 0
//   sys/        stands for /sys/class
//
// A command without a file fails with Invalid Field.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <linux/nvme_ioctl.h>

#define NODE "/dev/nvme0"
#define CLASS "/sys/class/"
#define GET_LOG_PAGE 0x02
#define INVALID_FIELD 0x02
#define NSID 1

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int ctrl_fd = -1, ns_fd = -1;

static int is_node(const char *path)
{
    return !strncmp(path, NODE, strlen(NODE));
}

static int is_block(const char *path)
{
    return !strcmp(path, NODE "n1");
}

// Where a path of /sys/class really lies; others stay as they are.
static const char *moved(const char *path, char to[PATH_MAX])
{
    if (strncmp(path, CLASS, strlen(CLASS)))
        return path;
    snprintf(to, PATH_MAX, "%s/sys/%s", getenv("NVME_PAGES"), path + strlen(CLASS));
    return to;
}

int open64(const char *path, int flags, ...)
{
    char to[PATH_MAX];
    va_list args;
    va_start(args, flags);
    int mode = va_arg(args, int);
    va_end(args);

    if (!is_node(path))
        return REAL(open64)(moved(path, to), flags, mode);
    int fd = REAL(open64)("/dev/null", O_RDONLY);
    *(is_block(path) ? &ns_fd : &ctrl_fd) = fd;
    return fd;
}

// What open() is with _FORTIFY_SOURCE.
int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return open64(path, flags, 0);
}

static int stat_node(struct stat64 *st, int block)
{
    memset(st, 0, sizeof(*st));
    st->st_mode = (block ? S_IFBLK : S_IFCHR) | 0600;
    st->st_rdev = makedev(240, (unsigned)block);
    return 0;
}

int stat64(const char *restrict path, struct stat64 *restrict st)
{
    char to[PATH_MAX];
    if (is_node(path))
        return stat_node(st, is_block(path));
    return REAL(stat64)(moved(path, to), st);
}

static int is_ours(int fd)
{
    return fd >= 0 && (fd == ctrl_fd || fd == ns_fd);
}

int fstat64(int fd, struct stat64 *st)
{
    return is_ours(fd) ? stat_node(st, fd == ns_fd) : REAL(fstat64)(fd, st);
}

DIR *opendir(const char *path)
{
    char to[PATH_MAX];
    return REAL(opendir)(moved(path, to));
}

int scandir64(const char *restrict path, struct dirent64 ***restrict names,
              int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **))
{
    char to[PATH_MAX];
    return REAL(scandir64)(moved(path, to), names, filter, compare);
}

static size_t read_file(const char *name, uint64_t offset, void *to, size_t bytes, int *there)
{
    FILE *file = fopen(name, "rb");
    *there = file != NULL;
    if (!file)
        return 0;
    fseek(file, (long)offset, SEEK_SET);
    size_t got = fread(to, 1, bytes, file);
    fclose(file);
    return got;
}

// The status that the driver's ioctl returns.
static int answer(const struct nvme_passthru_cmd *cmd, uint32_t *result)
{
    char name[PATH_MAX];
    int there;
    uint64_t offset = cmd->opcode == GET_LOG_PAGE ? cmd->cdw12 | (uint64_t)cmd->cdw13 << 32 : 0;

    snprintf(name, sizeof(name), "%s/%02x-%02x", getenv("NVME_PAGES"), cmd->opcode,
             cmd->cdw10 & 0xff);
    memset((void *)(uintptr_t)cmd->addr, 0, cmd->data_len);
    read_file(name, offset, (void *)(uintptr_t)cmd->addr, cmd->data_len, &there);
    if (!there)
        return INVALID_FIELD;
    *result = 0;
    strcat(name, ".dw0");
    read_file(name, 0, result, sizeof(*result), &there);
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);

    if (!is_ours(fd))
        return REAL(ioctl)(fd, request, arg);
    if (request == NVME_IOCTL_ID)
        return NSID;
    uint32_t result;
    int status = answer(arg, &result); // the 64-bit form only has another end
    if (status)
        return status;
    if (request == NVME_IOCTL_ADMIN64_CMD)
        ((struct nvme_passthru_cmd64 *)arg)->result = result;
    else
        ((struct nvme_passthru_cmd *)arg)->result = result;
    return 0;
}
