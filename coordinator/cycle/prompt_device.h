/* prompt_device.h - the inputs of the two signatures that plan one device: LoRA and diffusion.
 *
 * hardware_context is what the device really reported, as the snapshot has it, with the planner's
 * rates, its memory limit and what of the job fits. What enters is as prompt_inputs.h says: no
 * name, id, host, user, path, serial or key. Pure. */
#ifndef COORDINATOR_CYCLE_PROMPT_DEVICE_H
#define COORDINATOR_CYCLE_PROMPT_DEVICE_H

struct err;
struct job;
struct plan;
struct prompt_inputs;
struct snapshot;

/* `plan`: the analytic plan of this job, whose class summary is shown. prompt_inputs_clear frees
 * *out. */
int prompt_device_inputs(const struct snapshot *s, const struct job *job, const struct plan *plan,
                         struct prompt_inputs *out, struct err *err);

#endif
