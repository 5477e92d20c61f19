"""TRL's GRPOTrainer teaching the TinyStories model to write about a dog.

python benchmarks/peers/trl_grpo.py FOLDER [--setting default|best] [--repeats 40] [--seed 0]
Prompts: benchmarks/data/openings.jsonl. Reward: 1 if the completion contains "dog" in any case, else 0. A step is
8 prompts x 8 generations of up to 96 tokens at temperature 1, one update, learning rate 1e-3, constant, beta 0.
A repetition is a step, and training takes exactly --repeats of them; the first --warmups do not count in the median.
Settings differ in speed only: `default` is TRL as it comes (bf16 autocast, gradient checkpointing, logging every 10
steps), `best` the fastest that was found on a CPU. Loss, clipping and advantage scaling stay at TRL's defaults in both.
"""

import json
import os
import pathlib
import tempfile
import time

import common
import datasets
import transformers
import trl

OPENINGS = pathlib.Path(__file__).resolve().parents[1] / "data" / "openings.jsonl"
# Found by trying each by itself: see the table in benchmarks/README.md.
BEST = dict(
    bf16=False,
    gradient_checkpointing=False,
    logging_strategy="no",
    dataloader_pin_memory=False,
    disable_tqdm=True,
)
SETTINGS = {"default": {}, "best": BEST}


def arguments():
    made = common.parser(__doc__)
    made.add_argument("folder", type=pathlib.Path)
    made.add_argument("--setting", choices=SETTINGS, default="best")
    made.add_argument("--override", type=json.loads, default={}, help="more GRPOConfig fields as a JSON object")
    made.set_defaults(repeats=40, warmups=2)
    made.add_argument("--prompts", type=int, default=8, help="prompts of a step")
    made.add_argument("--generations", type=int, default=8, help="completions of each prompt")
    made.add_argument("--new", type=int, default=96, help="most new tokens of a completion")
    made.add_argument("--seed", type=int, default=0)
    return made.parse_args()


class DogReward:
    """The reward function; keeps the mean of every step, so that nothing needs to be logged."""

    __name__ = "dog"

    def __init__(self):
        self.means = []
        self.mean_lengths = []

    def __call__(self, completions, completion_ids, **_):
        rewards = [1.0 if "dog" in text.lower() else 0.0 for text in completions]
        self.means.append(sum(rewards) / len(rewards))
        self.mean_lengths.append(sum(map(len, completion_ids)) / len(completion_ids))
        return rewards


class StepClock(transformers.TrainerCallback):
    """Seconds from the end of one step to the end of the next: generation, reward and update."""

    def __init__(self):
        self.marks = []

    def on_train_begin(self, *_, **__):
        self.marks.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.marks.append(time.perf_counter())

    def seconds(self):
        return [round(b - a, 4) for a, b in zip(self.marks, self.marks[1:])]


def config(args, scratch):
    return trl.GRPOConfig(
        output_dir=scratch,
        max_steps=args.repeats,
        per_device_train_batch_size=args.prompts * args.generations,
        num_generations=args.generations,
        max_completion_length=args.new,
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        temperature=1.0,
        beta=0.0,
        seed=args.seed,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        **(SETTINGS[args.setting] | args.override),
    )


def main():
    args = arguments()
    common.start(args)
    # TRL prints tables and progress to stdout, where only the result line belongs.
    results = os.dup(1)
    os.dup2(2, 1)
    reward, clock = DogReward(), StepClock()
    with tempfile.TemporaryDirectory() as scratch:
        trainer = trl.GRPOTrainer(
            model=str(args.folder),
            reward_funcs=reward,
            args=config(args, scratch),
            train_dataset=datasets.Dataset.from_list([json.loads(line) for line in OPENINGS.open()]),
            callbacks=[clock],
        )
        begin = time.perf_counter()
        trainer.train()
        train_secs = time.perf_counter() - begin
    os.dup2(results, 1)
    measured = clock.seconds()[args.warmups :]
    common.emit(
        "trl_grpo",
        args,
        transformers=transformers.__version__,
        trl=trl.__version__,
        model_dtype=str(next(trainer.model.parameters()).dtype),
        median_step_secs=common.median(measured),
        train_secs=round(train_secs, 3),
        step_secs=clock.seconds(),
        reward_means=reward.means,
        mean_completion_tokens=reward.mean_lengths,
    )


if __name__ == "__main__":
    main()
