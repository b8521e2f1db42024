/* lora_yaml.h - an assignment as the file that `mlx_lm.lora -c` takes.
 *
 * Every key that decides what is trained is written, also where it is mlx-lm's own default today,
 * so that another version trains the same. lora_parameters replaces mlx-lm's whole map and needs
 * rank, scale and dropout; `keys` narrow it to the projections the plan names. The plan's identity
 * rides along in keys that mlx-lm copies into adapter_config.json. Pure. */
#ifndef AGENT_APPLY_LORA_YAML_H
#define AGENT_APPLY_LORA_YAML_H

struct assignment;
struct err;

struct lora_paths {
    const char *model;    /* folder, or id on the hub */
    const char *data;     /* folder with train.jsonl */
    const char *adapters; /* absolute */
};

/* Yours to mem_free. ERR_UNSUPPORTED for what mlx_lm.lora cannot do; the assignment has `training`.
 */
char *lora_yaml(const struct assignment *a, const struct lora_paths *paths, struct err *err);

#endif
