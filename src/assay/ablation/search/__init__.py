"""Which of the differences between two recipes moved a metric: a sequential search that is told results and asks for evaluations. Pure."""
