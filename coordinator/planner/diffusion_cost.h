/* diffusion_cost.h - what generating images costs on one machine: memory and time.
 *
 * Three parts work in turn: the text encoder reads the prompt, the denoiser (a UNet or a
 * transformer) runs once per step, the VAE decoder makes pixels. Pure arithmetic; SI units.
 *
 * FLOP of one image once through the denoiser, where the job does not give it (N parameters, p
 * latent pixels, T = p / 4 + prompt tokens):
 *   UNet         2 x 0.096 N p + 7500 p^2
 *   transformer  2 N_token T + 4 L h T^2
 * The UNet's coefficients are those of Stable Diffusion 1.5 and 2.1, counted layer by layer from
 * their published configurations (0.677 TFLOP in convolutions and linear layers at 512 x 512, which
 * is twice the 339 GMAC that the authors of BK-SDM, arXiv 2305.15798, publish, and 0.126 in
 * attention). For SDXL (0.072 N p, 2900 p^2 counted) they are half too high: give flop_per_step.
 *
 * Efficiency: UNet 0.55 n / (n + 2) of the peak rate, n images in one pass, the prompt-free one
 * counted (mlx-examples, Stable Diffusion 2.1 on an M2 Ultra of 76 cores, batch 1 to 16: within 5
 * %); transformer 0.5 (mflux README, FLUX.1-schnell bf16, 1024 x 1024, 2 steps, six Macs that hold
 * it: four within 12 %, an M2 Ultra "under" 1.3 times, an M1 Max 1.8 times the prediction); VAE
 * decoder 0.3, an assumption. */
#ifndef COORDINATOR_PLANNER_DIFFUSION_COST_H
#define COORDINATOR_PLANNER_DIFFUSION_COST_H

#include <stdbool.h>
#include <stdint.h>

struct diffusion_job;
struct machine;

/* A job's model with every default filled in. */
struct image_model {
    int kind; /* enum denoiser_kind */
    double parameters, token_parameters;
    double layers, hidden;
    bool is_fused; /* attention needs no square of its tokens in memory */
    double heads;
    double flop, flop_pixels; /* given, at so many pixels; NaN: derived */
    double text_parameters, text_tokens;
    double vae_parameters, vae_flop_per_pixel;
    int vae_format;
    int64_t scale; /* pixels per latent pixel, each way */
};

/* One way to generate. */
struct image_setup {
    int format; /* of denoiser and text encoder */
    int64_t width, height, batch_size, steps;
    bool guided, offload, tiling;
};

/* Bytes: memory of each phase, and the largest. */
struct image_memory {
    double weights, text, denoise, decode, peak;
};

/* Seconds. image = (text + load + steps x step) / batch + decode. */
struct image_time {
    double flop_per_step; /* one image, once through */
    double text, step, decode, load, image;
    bool bandwidth_bound; /* reading the denoiser's weights takes longer than the arithmetic */
};

#define IMAGE_TILE_PIXELS 512 /* width and height of a tile, of which 64 overlap */

void image_model_read(const struct diffusion_job *job, struct image_model *out);
double image_flop(const struct image_model *m, int64_t width, int64_t height);
void image_memory(const struct image_model *m, const struct image_setup *s,
                  struct image_memory *out);
void image_time(const struct image_model *m, const struct image_setup *s,
                const struct machine *machine, struct image_time *out);

/* Where flop_per_step and the times come from, and their error. Static. */
const char *image_flop_source(const struct image_model *m);
const char *image_time_source(const struct image_model *m);

#endif
