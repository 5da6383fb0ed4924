// rows_register makes the table-valued function of rows.c known to every connection
// that is opened from then on. It may be called at any time, from any thread, and again.
void rows_register(void);
