// SPDX-License-Identifier: BSD-2-Clause
// app=job: reads and writes disks as fio does. One worker for each disk and CPU, whose state that CPU owns;
// the boot CPU starts them, shows progress, and adds up what they have counted once all have ended.
#pragma once

#include "apps/disks.h"
#include "apps/histogram.h"
#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/run/block.h"
#include "kernel/x86/energy.h"
#include "lib/problem.h"

struct arena;
struct health;
struct job_crc;
struct job_mix;

extern const struct option job_options[];

enum job_verify_by {
    JOB_VERIFY_AUTO,
    JOB_VERIFY_CPU,
    JOB_VERIFY_ACCELERATOR,
};

struct job_config {
    bool random;
    bool trims;             // in place of writes
    bool is_mixed;          // rw=rw or randrw
    unsigned write_percent; // the rest is read
    bool verify;
    enum job_verify_by verify_by;
    bool batch; // clat=batch, else exact
    uint32_t bs;
    unsigned iodepth;    // of each worker
    uint64_t runtime_us; // 0: until each worker has done its share of the region
    uint64_t size;       // bytes used at the start of each disk; 0: all
    unsigned numjobs;    // CPUs, and thus workers, for each disk
    unsigned urgent;     // percent of the reads
    uint64_t ramp_us;    // runs so long before it measures
    uint64_t rate_iops;  // of each worker; 0: any
    bool rate_is_shared; // no, of all of them together
    unsigned fsync;      // writes between two flushes; 0: no flushes
    bool writefua;       // each write is durable when it ends
    uint64_t seed;       // 0: written data differs in each run
    bool slat;           // times submissions, too
    bool bins;           // sends all that the histograms have
};

// rw= as fio names it.
const char *job_rw_name(const struct job_config *config);

// What each I/O is, where they are all the same.
enum block_op job_op(const struct job_config *config);

// Does it write; does it change what is on the disks in any way?
bool job_writes(const struct job_config *config);
bool job_changes(const struct job_config *config);

// Of reads and what else the job does (writes, as a rule) the one that is behind its share.
bool job_next_is_read(const struct job_config *config, uint64_t reads, uint64_t others);

// Reads the options; `cpus` are in use. Problems: "job-numjobs", and those of words that don't go
// together: "job-rwmixread", "job-fsync", "job-writefua", "job-verify", "job-urgent", "job-ramp-time".
bool job_configure(const struct cmdline *c, unsigned cpus, struct job_config *out,
                   struct problem *p);

// Can the disk be read in this way? Problems: "job-bs", "job-size".
bool job_check_disk(const struct job_config *config, const struct block_dev *dev,
                    struct problem *p);

// The rate of worker `number` of `count`.
uint64_t job_rate(const struct job_config *config, size_t number, size_t count);

// Reads of bs bytes that the region has room for.
uint64_t job_region(const struct job_config *config, const struct block_dev *dev);

// Worker `index` of `count` takes reads [*first, *end) of `region`; they differ by at most one.
void job_share(uint64_t region, unsigned index, unsigned count, uint64_t *first, uint64_t *end);

// The CPU of worker `index` for disk number `disk`: disks start at different CPUs.
unsigned job_cpu_of(const struct job_config *config, size_t disk, unsigned index, unsigned cpus);

struct job_io {
    struct block_req req;
    uint64_t start_tsc;
    uint8_t channel; // when it isn't urgent
    bool summed;     // by an accelerator, what was read
} __attribute__((aligned(CACHE_LINE)));

struct job_worker {
    // What each I/O touches
    uint64_t completed;
    uint64_t end_tsc; // submits no more from then on
    uint64_t left;    // of the quota
    uint64_t random;  // state of the generator
    uint64_t region;
    uint64_t next; // sequential: the next read, of [first, end)
    uint64_t io_blocks;
    // The rest
    struct block_stream stream;
    unsigned streams; // queues that serve its reads by streams
    bool streamed;    // so they did
    uint64_t quota;   // submits no more than this
    uint8_t urgent_percent;
    bool is_random;
    bool verify;
    struct histogram *urgent; // latency of urgent reads; NULL: there are none
    struct histogram *slat;   // time in submission; NULL: it isn't measured
    uint64_t rate;            // I/Os a second; 0: any
    uint64_t first, end;
    uint64_t errors, verify_errors;
    uint64_t began_tsc, ended_tsc;
    uint64_t ramped;      // completed before it measured
    bool given_up;        // the device is gone, or still has a buffer
    struct job_mix *mix;  // NULL: it reads, and no more
    struct job_crc *crcs; // sums by an accelerator, for each I/O; NULL: by the CPU
    uint64_t tag;         // of stamps
    unsigned *told;       // errors of the disk told in full; shared by its workers
    struct block_dev *dev;
    struct job_cpu *cpu;
    struct job_worker *next_on_cpu;
    struct job_io *ios;
    unsigned iodepth;
    struct histogram latency; // of all, TSC cycles
} __attribute__((aligned(CACHE_LINE)));

// A CPU's counters at one moment, read by itself.
struct job_counters {
    uint64_t tsc;
    struct cpu_stats stats;
    bool has_energy;
    struct energy energy; // of its package
    uint64_t *irqs;       // MSIs taken of each of the job's
};

struct job_cpu {
    struct cpu_msg msg;
    struct job *job;
    unsigned cpu;
    unsigned running;                       // workers, and the start itself
    void (*all_ended)(struct cpu_msg *msg); // then, on the boot CPU
    struct job_worker *workers;
    struct cpu_timer ramp;
    struct job_counters before, after;
} __attribute__((aligned(CACHE_LINE)));

struct job {
    // What job_open() is given; the rest is zeros then.
    struct job_config config;
    struct disks disks;
    struct arena *arena;           // all memory is from there; NULL: for one job in the boot
    void (*show)(struct job *job); // each second; NULL: nothing is shown
    bool quiet;                    // errors are counted alone, not told
    bool again;                    // one like it has been opened in the arena: there is memory

    unsigned cpus_count;
    struct job_cpu *cpus;
    struct job_worker **workers; // numjobs for each disk
    size_t workers_count;
    const struct irq **irqs; // those that there were at its start: some may go, and others come
    size_t irqs_count;
    unsigned waiting; // CPUs that have not answered yet
    bool stop;
    struct health *health;
    bool reads_back;    // the job itself is over
    uint64_t data_seed; // of what is written
    struct cpu_timer progress;
    uint64_t began_ns, shown_ns;
    uint64_t shown_ios;
};

static inline uint64_t job_submitted(const struct job_worker *w)
{
    return w->quota - w->left;
}

// Makes the workers. Problems: job_check_disk()'s, and "job-memory": nothing was allocated then. Boot CPU.
bool job_open(struct job *job, struct problem *p);

// Runs it to its end: what each worker and each CPU counted is in the job then. Boot CPU.
void job_execute(struct job *job);

// Workers whose I/Os are all alike (job_io.c): set-up, boot CPU; start, owner CPU.
void job_io_make(struct job_worker *w, const struct job *job);
void job_io_start(struct job_worker *w);

// What its kinds of workers share (job_worker.c); owner CPU.
void job_end_one(struct job_cpu *cpu);        // of its workers, or its start
void job_close_streams(struct job_worker *w); // those that are open
void job_end_worker(struct job_worker *w, uint64_t now);
void job_note_failure(struct job_worker *w, const struct block_req *req);
uint64_t job_submit_timed(struct job_worker *w, struct block_req *req); // returns the time after it
// Fills the buffer with what a write to that LBA has.
void job_fill(const struct job_worker *w, const struct block_req *req, uint64_t seed,
              uint32_t sequence);
// Checks what was read: stamps, or what an earlier job has written; or what this one has. True: all is good.
bool job_check_read(struct job_worker *w, const struct block_req *req);
void job_check_written(struct job_worker *w, const struct block_req *req, uint64_t seed,
                       uint32_t sequence);

// Sums by an accelerator: whether they pay is measured (job_crc_open.c), on the boot CPU before job_execute();
// and of what an I/O has read (job_crc.c), after which its done() is called anew, `summed`. Owner CPU.
void job_crc_open(struct job *job);
void job_crc_begin(struct job_worker *w, struct job_io *io);

// Completions of all workers; any time.
uint64_t job_completed(const struct job *job);

// Prints one line on what it is going to do. Boot CPU.
void job_describe(const struct job *job);

// Prints one line on how far it is. Boot CPU.
void job_show_progress(struct job *job);

// All that its workers may do; job_live.c: the screen's panel. Boot CPU.
uint64_t job_quota(const struct job *job);
void job_live_begin(const struct job *job);
void job_live_show(const struct job *job);

// After the end: all tables and JSON objects. Boot CPU.
void job_report(const struct job *job);

#define JOB_ERRORS_TOLD 5 // for each disk; all are counted

#define JOB_CPUS_ABREAST 8 // with more CPUs, one table for each so many of them

// job_irqs.c: what a CPU's counters have gone up by; `offset` is that of one in struct cpu_stats.
uint64_t job_irq_delta(const struct job *job, unsigned cpu, size_t irq);
uint64_t job_stat_delta(const struct job *job, unsigned cpu, size_t offset);
void job_report_irqs(const struct job *job);

// job_delivery.c: TSC cycles of the run in which a CPU had something to do.
uint64_t job_busy_cycles(const struct job *job, unsigned cpu);
void job_report_delivery(const struct job *job);
