/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/format/pack.h - the one file format: a pack of rows, either a snapshot or a changeset.
 *
 * A pack is a header, frames, an index and a trailer; docs/design/pack-format.md has every byte.  A
 * frame is an independent zstd frame of at most BO_FRAME_MAX raw bytes, so `zstd -dc` still reads
 * an unencrypted pack, and one frame can be read alone.  With a key each frame is a libsodium
 * secretstream message bound to the pack's id and the frame's number, and so are meta, index and
 * tail; every header field is authenticated.  The trailer's BLAKE2b-256 covers header and index,
 * the index holds a checksum of every frame: nothing is used before what covers it was checked.
 * Without a key this finds damage, not forgery: keep the root elsewhere, or encrypt.
 *
 * This layer does no I/O: it writes through bo_sink and reads through bo_source.
 */
#ifndef BO_FORMAT_PACK_H
#define BO_FORMAT_PACK_H

#include <jansson.h>

#include "base/scope.h"
#include "data/digest.h"

#define BO_PACK_VERSION  1u
#define BO_FRAME_TARGET  (2u << 20) /* a frame is closed when it holds this much */
#define BO_FRAME_MAX     (1u << 30) /* one row never spans frames, so a huge row makes a huge frame */
#define BO_PACK_META_MAX (64u << 20)

typedef enum bo_pack_kind { BO_PACK_SNAPSHOT = 1, BO_PACK_CHANGESET = 2 } bo_pack_kind;

/** Where a pack is written: appends; called in order, by one thread at a time. */
typedef struct bo_sink {
    void *ctx;
    bo_status (*write)(void *ctx, const void *data, size_t size, bo_error *err);
} bo_sink;

/** Where a pack is read: exactly `size` bytes at `offset`, BO_CORRUPT past the end; thread-safe. */
typedef struct bo_source {
    void *ctx;
    uint64_t size;
    bo_status (*read)(void *ctx, uint64_t offset, void *data, size_t size, bo_error *err);
} bo_source;

/** What was made of a passphrase: each of it takes most of a second.  Safe for threads. */
typedef struct bo_pack_derived bo_pack_derived;
bo_pack_derived *bo_pack_derived_create(void);    /* NULL: no memory */
void bo_pack_derived_free(bo_pack_derived *self); /* wipes it */

/** A secret that opens packs.  Either a passphrase (argon2id) or 32 bytes from a key file. */
typedef struct bo_pack_key {
    enum { BO_KEY_NONE, BO_KEY_PASSPHRASE, BO_KEY_BYTES } kind;
    const char *passphrase;   /* borrowed */
    bo_pack_derived *derived; /* of this passphrase, borrowed; or NULL: made anew each time */
    uint8_t bytes[32];
} bo_pack_key;

/** What the index says of one frame. */
typedef struct bo_frame {
    uint32_t table;  /* position in the pack's list of tables */
    uint32_t range;  /* position in the pack's list of ranges of rows (bo_pack_range) */
    uint64_t rows;   /* images, or changes */
    uint64_t offset; /* in the file */
    uint64_t stored_size;
    uint64_t raw_size;
    bo_digest digest;     /* of the images (snapshot); of both images of each change (changeset) */
    bo_checksum checksum; /* of the stored bytes */
} bo_frame;

/** A run of a table's rows that the driver can scan by itself: PostgreSQL blocks, SQLite rowids. */
typedef struct bo_pack_range {
    uint32_t table;
    bo_span id;       /* the driver's own words for it; <= 1024 bytes; borrowed from the pack */
    bo_digest digest; /* of all its rows (sum of its frames) */
} bo_pack_range;

/* ---- writing ---- */
typedef struct bo_pack_writer bo_pack_writer;

/**
 * Writes the header.
 * @param meta  anything about the pack as JSON (definitions of tables, point id); borrowed.
 * @param key   NULL or kind BO_KEY_NONE: not encrypted.
 */
bo_status bo_pack_writer_create(bo_pack_kind kind, const json_t *meta, const bo_pack_key *key,
    bo_sink sink, bo_pack_writer **out, bo_error *err);
void bo_pack_writer_free(bo_pack_writer *writer);
BO_DEFINE_SCOPE(bo_pack_writer);

/**
 * Declares a range of rows of table number `table`, for frames to be begun in it; its position is
 * set in *range_out.  Thread-safe.  A changeset's frames need one too (`id` may be empty).
 */
bo_status bo_pack_writer_range(
    bo_pack_writer *writer, uint32_t table, bo_span id, uint32_t *range_out, bo_error *err);

/**
 * One frame being filled.  Each thread has its own (compression runs in the caller's thread; only
 * the write to the sink is serialised).  Adding past BO_FRAME_TARGET closes the frame and begins
 * the next one in the same range.
 */
typedef struct bo_frame_writer bo_frame_writer;
bo_status bo_frame_writer_create(bo_pack_writer *writer, bo_frame_writer **out, bo_error *err);
void bo_frame_writer_free(bo_frame_writer *frame); /* what was not flushed is lost */
BO_DEFINE_SCOPE(bo_frame_writer);
/** What follows belongs to `range`, which was declared for `table`; flush what came before. */
void bo_frame_writer_begin(bo_frame_writer *frame, uint32_t table, uint32_t range);
bo_status bo_frame_writer_row(bo_frame_writer *frame, bo_image row, bo_error *err); /* snapshot */
bo_status bo_frame_writer_change(bo_frame_writer *frame, bo_image before, bo_image after,
    bo_error *err); /* changeset; either may be absent (data NULL), not both */
bo_status bo_frame_writer_flush(bo_frame_writer *frame, bo_error *err);
/** Of what was flushed since begin: number and digest of the images, and their bytes. */
void bo_frame_writer_total(
    const bo_frame_writer *frame, bo_digest *digest_out, uint64_t *bytes_out);

/** Writes index and trailer.  @param tail  more JSON, known only now (counts, sequences); may be
 * NULL. */
bo_status bo_pack_writer_finish(bo_pack_writer *writer, const json_t *tail, bo_error *err);

/* ---- reading ---- */
typedef struct bo_pack bo_pack;

/**
 * Opens a pack: trailer, header and index are read and checked.
 * @retval BO_CORRUPT  cut short, flipped, hostile; err says which part.
 * @retval BO_UNSUPPORTED  written by a later version.
 * @retval BO_DENIED   encrypted, and `key` is missing or does not open it.
 */
bo_status bo_pack_open(bo_source source, const bo_pack_key *key, bo_pack **out, bo_error *err);
void bo_pack_free(bo_pack *pack);
BO_DEFINE_SCOPE(bo_pack);
bo_pack_kind bo_pack_get_kind(const bo_pack *pack);
bool bo_pack_encrypted(const bo_pack *pack);
const json_t *bo_pack_meta(const bo_pack *pack); /* borrowed */
const json_t *bo_pack_tail(const bo_pack *pack); /* borrowed; NULL if none */
uint32_t bo_pack_range_count(const bo_pack *pack);
const bo_pack_range *bo_pack_get_range(const bo_pack *pack, uint32_t range);
uint32_t bo_pack_frame_count(const bo_pack *pack);
const bo_frame *bo_pack_get_frame(const bo_pack *pack, uint32_t frame);
void bo_pack_table_digest(const bo_pack *pack, uint32_t table, bo_digest *out);
/** BLAKE2b-256 of header and index: the identity of the whole content. */
const uint8_t *bo_pack_root(const bo_pack *pack); /* 32 bytes */

/** A reader of frames; one per thread. */
typedef struct bo_frame_reader bo_frame_reader;
bo_status bo_frame_reader_create(bo_pack *pack, bo_frame_reader **out, bo_error *err);
void bo_frame_reader_free(bo_frame_reader *reader);
BO_DEFINE_SCOPE(bo_frame_reader);
/** Reads, checks, decrypts and decompresses frame number `frame`; its digest and row count are
 * checked too. */
bo_status bo_frame_reader_load(bo_frame_reader *reader, uint32_t frame, bo_error *err);
/** The next image (valid until the next load), or *end_out true. */
bo_status bo_frame_reader_row(
    bo_frame_reader *reader, bo_image *row_out, bool *end_out, bo_error *err);
bo_status bo_frame_reader_change(bo_frame_reader *reader, bo_image *before_out, bo_image *after_out,
    bool *end_out, bo_error *err);

#endif
