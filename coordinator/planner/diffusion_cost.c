/* diffusion_cost.c - see diffusion_cost.h. */
#include "coordinator/planner/diffusion_cost.h"

#include "common/core/unknown.h"
#include "common/model/enums.h"
#include "common/model/job.h"
#include "coordinator/planner/machine.h"

#include <math.h>

#define RUNTIME_BYTES 0.5e9     /* runtime, tokenizers, heaps: as in training */
#define WEIGHTS_MARGIN 1.02     /* buffers are rounded up */
#define ACTIVATIONS_MARGIN 1.15 /* as in training; the terms below are upper bounds already */
#define HALF_BYTES 2.0          /* activations are 16 bits wide */

/* Bytes of activations: assumptions, chosen to lie above what is published. Stable Diffusion 1.4 at
 * 512 x 512 was measured at 0.5 GB beside its weights (Apple, Core ML): these give 0.9 with a fused
 * attention. */
#define TEXT_TOKEN_BYTES 400e3 /* T5-XXL keeps some 24 rows of 4096 and their MLP */
#define TRANSFORMER_ROWS 24.0  /* rows of the hidden size, per token */
#define UNET_CHANNELS 320.0    /* at full latent resolution */
#define UNET_ROWS 32.0         /* tensors of them, skips included */
#define UNET_HEADS 8.0         /* of attention that is not fused */
#define VAE_CHANNELS 256.0     /* at full image resolution */
#define VAE_ROWS 6.0           /* tensors of them */

#define UNET_LINEAR 0.096     /* share of its parameters that a latent pixel passes */
#define UNET_ATTENTION 7500.0 /* FLOP per square of latent pixels */
#define VAE_PARAMETERS 49.5e6 /* the decoder of Stable Diffusion, SDXL and FLUX.1 */
#define VAE_FLOP 9.5e6        /* per pixel, counted: 2.48 TFLOP at 512 x 512 */
#define PATCH_PIXELS 4.0      /* latent pixels of a transformer's token */

#define UNET_EFFICIENCY 0.55
#define UNET_HALF 2.0 /* images in a pass at which half of it is reached */
#define TRANSFORMER_EFFICIENCY 0.5
#define VAE_EFFICIENCY 0.3
#define STEP_OVERHEAD_SECONDS 0.02 /* launch and Python */
#define TILE_OVERLAP 64.0          /* pixels of a tile that its neighbour makes too */
#define LOAD_BYTES_PER_S 2e9       /* weights read again from disk: an assumption */

static double or_f64(double value, double otherwise)
{
    return known_f64(value) ? value : otherwise;
}

static double or_count(int64_t value, double otherwise)
{
    return known_i64(value) ? (double)value : otherwise;
}

static bool head_is_fused(int64_t head_dim)
{
    return head_dim == 64 || head_dim == 80 || head_dim == 128;
}

/* A transformer of which only the size is known: blocks of 12 h^2, 64 times as wide as deep. */
static void read_denoiser(const struct diffusion_job *job, struct image_model *m)
{
    const struct diffusion_denoiser *d = job->model->denoiser;
    int64_t w = known_i64(d->reference_width) ? d->reference_width : job->generation->width;
    int64_t h = known_i64(d->reference_height) ? d->reference_height : job->generation->height;

    m->kind = d->kind;
    m->parameters = (double)d->parameters;
    m->token_parameters = or_count(d->token_parameters, m->parameters);
    m->hidden = or_count(d->hidden_size, cbrt(m->token_parameters * 64 / 12));
    m->layers = or_count(d->layers, m->token_parameters / (12 * m->hidden * m->hidden));
    m->is_fused =
        known_i64(d->head_dim) ? head_is_fused(d->head_dim) : d->kind == DENOISER_KIND_TRANSFORMER;
    m->heads = d->kind == DENOISER_KIND_UNET ? UNET_HEADS
               : known_i64(d->head_dim)      ? m->hidden / (double)d->head_dim
                                             : m->hidden / 64;
    m->flop = d->flop_per_step;
    m->flop_pixels = (double)w * (double)h;
}

void image_model_read(const struct diffusion_job *job, struct image_model *out)
{
    const struct diffusion_text_encoder *t = job->model->text_encoder;
    const struct diffusion_vae *v = job->model->vae;

    read_denoiser(job, out);
    out->text_parameters = (double)t->parameters;
    out->text_tokens = or_count(t->tokens, 77);
    out->vae_parameters = or_count(v ? v->parameters : UNKNOWN_I64, VAE_PARAMETERS);
    out->vae_flop_per_pixel = or_f64(v ? v->flop_per_pixel : UNKNOWN_F64,
                                     VAE_FLOP * out->vae_parameters / VAE_PARAMETERS);
    out->vae_format = v && v->format ? v->format : MODEL_FORMAT_F32;
    out->scale = v && known_i64(v->scale) ? v->scale : 8;
}

static double latent_pixels(const struct image_model *m, int64_t width, int64_t height)
{
    return ceil((double)width / (double)m->scale) * ceil((double)height / (double)m->scale);
}

static double tokens_of(const struct image_model *m, double latent)
{
    return latent / PATCH_PIXELS + m->text_tokens;
}

/* A given figure is scaled so that it is never too low: with the pixels below its own size, with
 * their square above. */
double image_flop(const struct image_model *m, int64_t width, int64_t height)
{
    double latent = latent_pixels(m, width, height), tokens = tokens_of(m, latent);

    if (known_f64(m->flop)) {
        double share = (double)width * (double)height / m->flop_pixels;

        return m->flop * (share > 1 ? share * share : share);
    }
    if (m->kind == DENOISER_KIND_UNET)
        return 2 * UNET_LINEAR * m->parameters * latent + UNET_ATTENTION * latent * latent;
    return 2 * m->token_parameters * tokens + 4 * m->layers * m->hidden * tokens * tokens;
}

/* ---- memory ---- */

static double weights_of(double parameters, int format)
{
    return WEIGHTS_MARGIN * parameters * cost_bits_per_weight(format) / 8;
}

/* Images that one pass of the denoiser takes. */
static double images_in_pass(const struct image_setup *s)
{
    return (double)s->batch_size * (s->guided ? 2 : 1);
}

static double denoise_activations(const struct image_model *m, const struct image_setup *s)
{
    double latent = latent_pixels(m, s->width, s->height), n = images_in_pass(s);
    double rows, square;

    if (m->kind == DENOISER_KIND_UNET) {
        rows = latent * UNET_CHANNELS * UNET_ROWS;
        square = latent * latent;
    } else {
        rows = tokens_of(m, latent) * m->hidden * TRANSFORMER_ROWS;
        square = tokens_of(m, latent) * tokens_of(m, latent);
    }
    if (!m->is_fused)
        rows += 2 * m->heads * square; /* the scores, and their softmax */
    return n * rows * HALF_BYTES;
}

/* Images are decoded one after the other. */
static double decode_activations(const struct image_model *m, const struct image_setup *s)
{
    double w = (double)s->width, h = (double)s->height, tile = IMAGE_TILE_PIXELS;
    double bytes = cost_bits_per_weight(m->vae_format) / 8, pixels = w * h;

    if (s->tiling)
        pixels = fmin(w, tile) * fmin(h, tile);
    return pixels * VAE_CHANNELS * VAE_ROWS * bytes + w * h * 3 * bytes * (double)s->batch_size;
}

void image_memory(const struct image_model *m, const struct image_setup *s,
                  struct image_memory *out)
{
    double text = weights_of(m->text_parameters, s->format);
    double denoiser = weights_of(m->parameters, s->format);
    double vae = weights_of(m->vae_parameters, m->vae_format);
    double passes = s->guided ? 2 : 1;

    out->weights = text + denoiser + vae;
    out->text = (s->offload ? text : out->weights) + RUNTIME_BYTES +
                ACTIVATIONS_MARGIN * m->text_tokens * passes * TEXT_TOKEN_BYTES;
    out->denoise = (s->offload ? denoiser : out->weights) + RUNTIME_BYTES +
                   ACTIVATIONS_MARGIN * denoise_activations(m, s);
    out->decode = (s->offload ? vae : out->weights) + RUNTIME_BYTES +
                  ACTIVATIONS_MARGIN * decode_activations(m, s);
    out->peak = fmax(out->text, fmax(out->denoise, out->decode));
}

/* ---- time ---- */

/* Share of the peak rate reached when reading weights: as in training. */
static double bandwidth_efficiency(int format)
{
    double bits = cost_bits_per_weight(format);

    if (bits >= 16)
        return 0.77;
    return bits >= 6 ? 0.68 : 0.56;
}

static double reading(double weights, int format, const struct machine *machine)
{
    return weights / (bandwidth_efficiency(format) * machine->rates.bandwidth);
}

void image_time(const struct image_model *m, const struct image_setup *s,
                const struct machine *machine, struct image_time *out)
{
    double n = images_in_pass(s), peak = machine->rates.flops, slow = machine->slow;
    double text = weights_of(m->text_parameters, s->format);
    double denoiser = weights_of(m->parameters, s->format);
    double efficiency = m->kind == DENOISER_KIND_UNET ? UNET_EFFICIENCY * n / (n + UNET_HALF)
                                                      : TRANSFORMER_EFFICIENCY;
    double compute, tile = IMAGE_TILE_PIXELS, again = 1;

    out->flop_per_step = image_flop(m, s->width, s->height);
    compute = out->flop_per_step * n / (efficiency * peak);
    out->bandwidth_bound = reading(denoiser, s->format, machine) > compute;
    out->step =
        slow * (fmax(compute, reading(denoiser, s->format, machine)) + STEP_OVERHEAD_SECONDS);
    out->text = slow * fmax(2 * m->text_parameters * m->text_tokens * (s->guided ? 2 : 1) /
                                (TRANSFORMER_EFFICIENCY * peak),
                            reading(text, s->format, machine));
    if (s->tiling && (s->width > IMAGE_TILE_PIXELS || s->height > IMAGE_TILE_PIXELS))
        again = tile * tile / ((tile - TILE_OVERLAP) * (tile - TILE_OVERLAP));
    out->decode = slow * again * m->vae_flop_per_pixel * (double)s->width * (double)s->height /
                  (VAE_EFFICIENCY * peak);
    out->load = s->offload ? (text + denoiser) / LOAD_BYTES_PER_S : 0;
    out->image = (out->text + out->load + (double)s->steps * out->step) / (double)s->batch_size +
                 out->decode;
}

const char *image_flop_source(const struct image_model *m)
{
    if (known_f64(m->flop))
        return "given by the job; with the pixels below its reference size, their square above";
    if (m->kind == DENOISER_KIND_UNET)
        return "derived: 2 x 0.096 parameters x latent pixels + 7500 x their square, as counted in "
               "Stable Diffusion 1.5 and 2.1; SDXL has two thirds of it";
    return "derived: 2 x the parameters a token passes x tokens + 4 x layers x hidden size x "
           "their square; without token_parameters too high where blocks serve text or image only";
}

const char *image_time_source(const struct image_model *m)
{
    if (m->kind == DENOISER_KIND_UNET)
        return "0.55 n / (n + 2) of the peak rate, n images in a pass: within 5 % of mlx-examples' "
               "Stable Diffusion 2.1 on an M2 Ultra, batch 1 to 16; other chips not checked";
    return "half of the peak rate: of six published FLUX.1-schnell runs (mflux) four are within "
           "12 %, one took 1.8 times as long; loading the model is not in";
}
