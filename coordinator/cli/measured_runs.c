/* measured_runs.c - a table of runs, cell by cell, by the names of its columns. */
#include "coordinator/cli/measured_runs.h"

#include "common/core/err.h"
#include "common/core/num.h"
#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "common/model/tool_message.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 64
#define CELL_MAX 128

enum column {
    MODEL_TYPE,
    HIDDEN,
    LAYERS,
    HEADS,
    KV_HEADS,
    HEAD_DIM,
    FFN,
    VOCAB,
    TIED,
    PARAMS,
    FORMAT,
    DTYPE,
    TARGETS,
    FINE_TUNE,
    RANK,
    NUM_LAYERS,
    BATCH,
    SEQ,
    GRAD_CHECKPOINT,
    RC,
    PEAK_MEM_GB,
    ACTIVE_GB,
    IT_S,
    BACKEND,
    CHIP,
    GPU_CORES,
    COLUMN_COUNT
};

static const struct {
    const char *name;
    bool needed;
} columns[COLUMN_COUNT] = {
    [MODEL_TYPE] = {"model_type", false},
    [HIDDEN] = {"hidden", true},
    [LAYERS] = {"layers", true},
    [HEADS] = {"heads", true},
    [KV_HEADS] = {"kv_heads", true},
    [HEAD_DIM] = {"head_dim", true},
    [FFN] = {"ffn", true},
    [VOCAB] = {"vocab", true},
    [TIED] = {"tied", true},
    [PARAMS] = {"params", true},
    [FORMAT] = {"format", false},
    [DTYPE] = {"dtype", false},
    [TARGETS] = {"targets", false},
    [FINE_TUNE] = {"fine_tune", false},
    [RANK] = {"rank", true},
    [NUM_LAYERS] = {"num_layers", true},
    [BATCH] = {"batch", true},
    [SEQ] = {"seq", true},
    [GRAD_CHECKPOINT] = {"grad_checkpoint", false},
    [RC] = {"rc", false},
    [PEAK_MEM_GB] = {"peak_mem_gb", true},
    [ACTIVE_GB] = {"active_gb", false},
    [IT_S] = {"it_s", false},
    [BACKEND] = {"backend", false},
    [CHIP] = {"chip", false},
    [GPU_CORES] = {"gpu_cores", false},
};

/* One line cut at its commas. */
struct line {
    size_t number; /* from 1 */
    const char *cell[COLUMNS_MAX];
    size_t len[COLUMNS_MAX];
    size_t count;
};

/* The next line that is not empty; false at the end. */
static bool next_line(const char **p, const char *end, struct line *l)
{
    while (*p < end) {
        const char *from = *p, *stop = memchr(from, '\n', (size_t)(end - from));

        stop = stop ? stop : end;
        *p = stop < end ? stop + 1 : end;
        l->number++;
        if (stop > from && stop[-1] == '\r')
            stop--;
        if (stop == from)
            continue;
        for (l->count = 0; l->count < COLUMNS_MAX; l->count++) {
            const char *comma = memchr(from, ',', (size_t)(stop - from));

            l->cell[l->count] = from;
            l->len[l->count] = (size_t)((comma ? comma : stop) - from);
            if (!comma)
                break;
            from = comma + 1;
        }
        l->count += l->count < COLUMNS_MAX;
        return true;
    }
    return false;
}

/* Where each column is; COLUMNS_MAX: it is not there. */
static int read_heading(const struct line *l, size_t at[COLUMN_COUNT], struct err *err)
{
    for (int c = 0; c < COLUMN_COUNT; c++) {
        at[c] = COLUMNS_MAX;
        for (size_t i = 0; i < l->count; i++)
            if (strlen(columns[c].name) == l->len[i] &&
                memcmp(columns[c].name, l->cell[i], l->len[i]) == 0)
                at[c] = i;
        if (columns[c].needed && at[c] == COLUMNS_MAX)
            return err_set(err, ERR_INVALID, "line %zu: no column %s", l->number, columns[c].name);
    }
    return 0;
}

struct reader {
    const struct line *line;
    const size_t *at;
    struct err *err;
};

/* The cell as text; "" where it is empty or its column is missing. */
static int text_of(const struct reader *r, enum column c, char out[CELL_MAX])
{
    size_t i = r->at[c];

    out[0] = '\0';
    if (i >= r->line->count)
        return 0;
    if (r->line->len[i] >= CELL_MAX)
        return err_set(r->err, ERR_INVALID, "line %zu: %s: %zu bytes, wanted at most %d",
                       r->line->number, columns[c].name, r->line->len[i], CELL_MAX - 1);
    memcpy(out, r->line->cell[i], r->line->len[i]);
    out[r->line->len[i]] = '\0';
    return 0;
}

static int count_of(const struct reader *r, enum column c, int64_t least, int64_t most,
                    int64_t *out)
{
    char where[64], cell[CELL_MAX];

    snprintf(where, sizeof where, "line %zu: %s", r->line->number, columns[c].name);
    if (text_of(r, c, cell) < 0)
        return -1;
    if (!cell[0])
        return columns[c].needed ? err_set(r->err, ERR_INVALID, "%s: empty", where) : 0;
    return num_parse_i64(cell, strlen(cell), least, most, out, where, r->err);
}

/* A number of the cell times unit; as it was where the cell is empty. */
static int number_of(const struct reader *r, enum column c, double most, double *out)
{
    char where[64], cell[CELL_MAX];

    snprintf(where, sizeof where, "line %zu: %s", r->line->number, columns[c].name);
    if (text_of(r, c, cell) < 0)
        return -1;
    return cell[0] ? num_parse_f64(cell, strlen(cell), 0, most, out, where, r->err) : 0;
}

static int word_of(const struct reader *r, enum column c, const struct enum_names *names,
                   int standard, int *out)
{
    char cell[CELL_MAX];

    *out = standard;
    if (text_of(r, c, cell) < 0)
        return -1;
    for (size_t i = 0; cell[0] && i < names->count; i++)
        if (strcmp(names->values[i].name, cell) == 0) {
            *out = names->values[i].value;
            return 0;
        }
    return cell[0] ? err_set(r->err, ERR_INVALID, "line %zu: %s: \"%s\", no such word of %s",
                             r->line->number, columns[c].name, cell, names->name)
                   : 0;
}

static int read_shape(const struct reader *r, struct model_shape *s)
{
    int64_t tied = 0;
    char type[CELL_MAX];

    if (text_of(r, MODEL_TYPE, type) < 0 ||
        text_set(&s->model_type, type[0] ? type : "llama", r->err) < 0 ||
        count_of(r, HIDDEN, 1, 1 << 20, &s->hidden_size) < 0 ||
        count_of(r, LAYERS, 1, 4096, &s->layers) < 0 ||
        count_of(r, HEADS, 1, 65536, &s->attention_heads) < 0 ||
        count_of(r, KV_HEADS, 1, 65536, &s->kv_heads) < 0 ||
        count_of(r, HEAD_DIM, 1, 65536, &s->head_dim) < 0 ||
        count_of(r, FFN, 1, 1 << 22, &s->intermediate_size) < 0 ||
        count_of(r, VOCAB, 1, 1 << 26, &s->vocab_size) < 0 || count_of(r, TIED, 0, 1, &tied) < 0 ||
        count_of(r, PARAMS, 1, (int64_t)1 << 50, &s->parameters) < 0)
        return -1;
    s->tied_embeddings = tied ? TRI_TRUE : TRI_FALSE;
    return 0;
}

/* dtype is what torch and safetensors call it. */
static int read_format(const struct reader *r, int *out)
{
    char dtype[CELL_MAX];

    if (text_of(r, DTYPE, dtype) < 0)
        return -1;
    return word_of(r, FORMAT, &model_format_names,
                   strcmp(dtype, "float32") == 0   ? MODEL_FORMAT_F32
                   : strcmp(dtype, "float16") == 0 ? MODEL_FORMAT_F16
                                                   : MODEL_FORMAT_BF16,
                   out);
}

static int read_measured(const struct reader *r, struct measured_run *m)
{
    double peak = UNKNOWN_F64, active = UNKNOWN_F64, rate = UNKNOWN_F64;

    if (number_of(r, PEAK_MEM_GB, 1e6, &peak) < 0 || number_of(r, ACTIVE_GB, 1e6, &active) < 0 ||
        number_of(r, IT_S, 1e6, &rate) < 0)
        return -1;
    if (known_f64(peak) && peak > 0)
        m->peak_bytes = (int64_t)(peak * 1e9);
    if (known_f64(active) && active > 0)
        m->resident_bytes = (int64_t)(active * 1e9);
    if (known_f64(rate) && rate > 0)
        m->step_seconds = 1 / rate;
    return 0;
}

static int read_where(const struct reader *r, const char *chip, struct measured_run *m)
{
    char cell[CELL_MAX], backend[CELL_MAX];

    if (text_of(r, CHIP, cell) < 0 || text_of(r, BACKEND, backend) < 0)
        return -1;
    if (cell[0])
        chip = cell;
    if (!backend[0])
        snprintf(backend, sizeof backend, "%s",
                 chip && strncmp(chip, "Apple ", 6) == 0 ? "metal" : "cpu");
    if (strcmp(backend, "metal") != 0 && strcmp(backend, "cpu") != 0)
        return err_set(r->err, ERR_INVALID, "line %zu: backend: \"%s\", wanted metal or cpu",
                       r->line->number, backend);
    return text_set(&m->backend, backend, r->err) < 0 ||
                   (chip && text_set(&m->chip, chip, r->err) < 0) ||
                   count_of(r, GPU_CORES, 1, 1024, &m->gpu_cores) < 0
               ? -1
               : 0;
}

static int read_run(const struct reader *r, const char *chip, struct measured_run *m)
{
    int64_t checkpoint = 0;

    if (!(m->shape = model_shape_new(r->err)) || read_shape(r, m->shape) < 0 ||
        read_where(r, chip, m) < 0 || read_format(r, &m->model_format) < 0 ||
        word_of(r, TARGETS, &lora_targets_names, LORA_TARGETS_ALL, &m->targets) < 0 ||
        word_of(r, FINE_TUNE, &fine_tune_method_names, FINE_TUNE_METHOD_LORA, &m->method) < 0 ||
        count_of(r, RANK, 1, 1024, &m->rank) < 0 ||
        count_of(r, NUM_LAYERS, 1, 4096, &m->layers) < 0 ||
        count_of(r, BATCH, 1, 4096, &m->batch_size) < 0 ||
        count_of(r, SEQ, 32, 1048576, &m->sequence_length) < 0 ||
        count_of(r, GRAD_CHECKPOINT, 0, 1, &checkpoint) < 0 || read_measured(r, m) < 0)
        return -1;
    m->grad_checkpoint = checkpoint ? TRI_TRUE : TRI_FALSE;
    if (record_check(&measured_run_type, m, r->err) < 0)
        return err_prefix(r->err, "line %zu", r->line->number);
    return 0;
}

static int read_all(const char *text, size_t len, const char *chip,
                    struct calibration_import_request *out, struct err *err)
{
    const char *p = text, *end = text + len;
    struct line line = {.number = 0};
    size_t at[COLUMN_COUNT];
    struct reader r = {.line = &line, .at = at, .err = err};

    if (!next_line(&p, end, &line))
        return err_set(err, ERR_INVALID, "no heading: wanted a line with the names of the columns");
    if (read_heading(&line, at, err) < 0)
        return -1;
    while (next_line(&p, end, &line)) {
        struct measured_run *m;
        int64_t rc = 0;

        if (count_of(&r, RC, -1024, 1024, &rc) < 0)
            return -1;
        if (rc != 0)
            continue;
        if (out->runs_count == MEASURED_RUNS_MAX)
            return err_set(err, ERR_TOO_BIG, "line %zu: more than %d runs", line.number,
                           MEASURED_RUNS_MAX);
        m = records_add(&measured_run_type, &out->runs, &out->runs_count, err);
        if (!m || read_run(&r, chip, m) < 0)
            return -1;
    }
    return out->runs_count > 0 ? 0
                               : err_set(err, ERR_INVALID, "no run: every line failed, or none");
}

int measured_runs_read(const char *text, size_t len, const char *chip,
                       struct calibration_import_request **out, struct err *err)
{
    struct calibration_import_request *made = calibration_import_request_new(err);

    if (!made || read_all(text, len, chip, made, err) < 0) {
        calibration_import_request_free(made);
        return -1;
    }
    *out = made;
    return 0;
}
