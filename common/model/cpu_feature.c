/* cpu_feature.c - see cpu_feature.h. M1 has FP16, FHM and DotProd; M2 adds BF16 and I8MM; M4 SME
 * and SME2. */
#include "common/model/cpu_feature.h"

const char *const cpu_features[] = {
    "FEAT_FP16", "FEAT_FHM",  "FEAT_DotProd", "FEAT_BF16",       "FEAT_EBF16",      "FEAT_I8MM",
    "FEAT_SME",  "FEAT_SME2", "FEAT_SME2p1",  "FEAT_SME_F64F64", "FEAT_SME_I16I64", "SME_I16I32",
};

const size_t cpu_features_count = sizeof cpu_features / sizeof cpu_features[0];
