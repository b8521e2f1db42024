/* python_export.h - a signature as the Python class that DSPy would have.
 *
 * The text form is a class of str fields; the typed form comes with a pydantic model for each
 * record, made of the rows that our own cast uses: ranges, lengths and words are the same on both
 * sides, so a program optimised there answers what is understood here. `reasoning` is left to
 * dspy.ChainOfThought, which adds it. */
#ifndef COORDINATOR_SIGNATURE_PYTHON_EXPORT_H
#define COORDINATOR_SIGNATURE_PYTHON_EXPORT_H

struct err;
struct signature;

/* A Python module of that one signature, yours to mem_free. Refused: a name that is no Python
 * identifier. */
char *python_export(const struct signature *sig, struct err *err);

#endif
