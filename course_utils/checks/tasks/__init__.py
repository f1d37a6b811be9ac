"""The tasks of every exercise, one module for each: ``02_flops_6nd`` is ``flops_6nd.py``."""

EXERCISES = (
    "01_pretraining_and_loss",
    "02_flops_6nd",
    "03_kaplan_vs_chinchilla",
    "04_measure_your_own_law",
    "05_train_or_serve",
    "06_emergent_abilities",
    "07_data_wall",
    "08_training_at_scale",
    "09_beyond_scaling",
    "10_interview_drills",
)
