/* number.h -- reals as text: the fewest digits, from 15 to 17, that read back as the same real. */
#ifndef BERTH_SIM_EXPERIMENT_NUMBER_H
#define BERTH_SIM_EXPERIMENT_NUMBER_H

#define NUMBER_BYTES 40

/* As printf's %.15g, or %.16g, or %.17g; `number` is finite. */
void number_format(double number, char out[NUMBER_BYTES]);

#endif
