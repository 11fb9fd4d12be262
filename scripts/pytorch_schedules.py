"""Prints the learning rates of PyTorch's schedulers, which ScheduleTest and PlateauTest expect.

    python3 scripts/pytorch_schedules.py
"""

import torch
from torch.optim import lr_scheduler as lrs

BASE = 0.002
STEPS_PER_EPOCH = 4


def rates(make, steps, every):
    adam = torch.optim.Adam([torch.zeros(1)], lr=BASE)
    scheduler = make(adam)
    found = []
    for step in range(1, steps + 1):
        found.append(adam.param_groups[0]["lr"])
        adam.step()
        if step % every == 0 and step < steps:
            scheduler.step()
    return found


def show(name, numbers):
    print(name, ", ".join("%.17g" % number for number in numbers))


show("step:2:0.1", rates(lambda adam: lrs.StepLR(adam, 2, 0.1), 24, STEPS_PER_EPOCH))
show("exponential:0.7", rates(lambda adam: lrs.ExponentialLR(adam, 0.7), 24, STEPS_PER_EPOCH))
show("cosine", rates(lambda adam: lrs.CosineAnnealingLR(adam, 24), 24, 1))
for steps in (1, 2, 3, 4, 10, 24):
    show(
        "one-cycle, %d steps" % steps,
        rates(
            lambda adam: lrs.OneCycleLR(adam, BASE, total_steps=steps, cycle_momentum=False),
            steps,
            1,
        ),
    )

adam = torch.optim.Adam([torch.zeros(1)], lr=1)
plateau = lrs.ReduceLROnPlateau(adam, factor=0.5, patience=2)
nan = float("nan")
losses = [1.0, 0.9999, 0.99985, 0.9, 0.95, 0.9, nan, 0.89995, 0.91, 0.92, 0.93, 0.8, 1, 1, 1, 1]
factors = []
for loss in losses:
    adam.step()
    plateau.step(loss)
    factors.append(adam.param_groups[0]["lr"])
show("plateau:0.5:2", factors)
