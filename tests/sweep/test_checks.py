"""Wrong input: one line with key, value and remedy, exit status 2, nothing trained, nothing left behind."""

import re
import sysconfig
from urllib.error import URLError

import numpy as np
import pytest
import torchvision

from gradflow.errors import ConfigError
from gradflow.sweep.checks import configuration, schema
from gradflow.sweep.checks.values import Rule

CUSTOM = "activation=custom"
CALLBACKS = "lightning.pytorch.callbacks"
SCHEDULING = "+callbacks.more.scheduling={1:2}"
PLATEAU = "schedule._target_=torch.optim.lr_scheduler.ReduceLROnPlateau"
EACH = "+schedule.interval=step"
LBFGS = "optimizer._target_=torch.optim.LBFGS"
NO_ADAM = tuple(f"~optimizer.{key}" for key in ("betas", "eps", "weight_decay", "fused"))
SLOW = pytest.mark.slow

# What is typed, and what the line says: the key with its value, then the remedy. One of each kind, then the rest.
BAD = [
    (["activation=sigmod"], r"activation=sigmod: no such option; did you mean sigmoid\b.*options: .*relu"),
    (
        ["callbacks.gradient_norm=null"],
        r"callbacks\.gradient_norm=null: no such key; did you mean callbacks\.gradient_norms",
    ),
    (["activation._target_=torch.nn.GELU"], r"activation\.inplace=true: .*GELU takes .*\(~activation\.inplace\)"),
    (["blcks=3"], r"blcks=3: no such key; did you mean blocks"),
    (["+unknown=1"], r"unknown=1: no such key"),
    (["+activation.foo=1"], r"activation\.foo=1: torch\.nn\.ReLU takes inplace"),
    (["model=mlp", "width=[8,4]", "blocks=3"], r"blocks=3: width=\[8, 4\] .*use blocks=2"),
    (["model=lenet5", "blocks=3"], r"blocks=3: model=lenet5 has a fixed size; leave blocks out"),
    (["model.blocks=2"], r"model\.blocks=2: .*blocks=2"),
    (["model.norm=instance"], r"model\.norm=instance: choose one of batch, layer, group, none"),
    (["model.kernel_size=4"], r"model\.kernel_size=4: .*odd.*model\.kernel_size=3"),
    (["data=moons"], r"model=conv: .*images.*use model=mlp"),
    (["output=tanh"], r"output=tanh: the data are a classification.*cross-entropy; use output=softmax"),
    (["data.batch_size=1"], r"data\.batch_size=1: .*batch normalisation.*model\.norm=layer"),
    (["trainer=gpu"], r"trainer=gpu: no CUDA GPU was found; use trainer=auto or trainer=cpu"),
    (["trainer.devices=2"], r"trainer\.devices=2: several devices need trainer=ddp"),
    (["trainer=ddp", "trainer.sync_batchnorm=false"], r"trainer\.sync_batchnorm=false model\.norm=batch: .*leave"),
    (["trainer=ddp"], r"trainer\.devices=2 model\.norm=batch: on CPUs .*model\.norm=none, layer or group"),
    (["precision=16-mixed"], r"precision=16-mixed: float16 .*use precision=bf16"),
    (["headline=test/acu"], r"headline=test/acu: .*did you mean .*test/acc"),
    ([CUSTOM], r"activation\._target_=\?\?\?: .*activation\._target_=package\.Class"),
    (
        [CUSTOM, "activation._target_=own_activations.Unbuildable"],
        r"own_activations\.Unbuildable.*cannot be built: .*this one cannot be built",
    ),
    (
        [CUSTOM, "activation._target_=own_activations.Halving"],
        r"own_activations\.Halving.*fails on the data|keep the shape",
    ),
    (
        [CUSTOM, "activation._target_=own_activations.Twice"],
        r"own_activations\.Twice: slope\(-10\) is 3, but the derivative of forward there is 2; correct it",
    ),
    (
        [CUSTOM, "activation._target_=torch.sin"],
        r"activation\._target_=torch\.sin: is a function, where a class is needed; write a small torch\.nn\.Module",
    ),
    (
        [CUSTOM, "activation._target_=own_activations.BreakingAtOnce"],
        r"activation\._target_=own_activations\.BreakingAtOnce: fails on the first batches \(RuntimeError: cannot be",
    ),
    (
        ["callbacks=early_stopping", "callbacks.early_stopping.monitor=train/los"],
        r"callbacks\.early_stopping\.monitor=train/los: no such score; did you mean train/loss",
    ),
    (
        ["+trainer.enable_checkpointing=false"],
        r"trainer\.enable_checkpointing=false: .*its last checkpoint.*leave it out",
    ),
    (["+trainer.limit_test_batches=0"], r"trainer\.limit_test_batches=0: needs a number of batches of at least 1, or"),
    (
        [LBFGS, *NO_ADAM],
        r"optimizer\._target_=torch\.optim\.LBFGS: evaluates a batch several times.*use optimizer=adam",
    ),
    ([PLATEAU], r"schedule\.monitor=null: ReduceLROnPlateau follows a score, e\.g\. \+schedule\.monitor=val/loss"),
    (
        ["logger._target_=lightning.pytorch.loggers.CSVLogger", "+logger.save_dir=logs"],
        r"logger\._target_=lightning\.pytorch\.loggers\.CSVLogger: takes no `folder`.*use logger=csv",
    ),
    (
        ["data=diabetes", "model=mlp", "data.validation_size=1"],
        r"data=diabetes: 1 sample of the validation set is used.*_size=2",
    ),
    *(
        ([f"+callbacks.more._target_={CALLBACKS}.{name}"], rf"callbacks\.more\._target_={CALLBACKS}\.{name}: {said}")
        for name, said in {
            "BatchSizeFinder": "changes the batch size .*set data.batch_size",
            "StochasticWeightAveraging": ".*use lightning.pytorch.callbacks.EMAWeightAveraging",
        }.items()
    ),
    (["blocks=1,"], r"blocks=1,: "),
    (["logger._target_=abc"], r"logger\._target_=abc: is no class; check the name"),
    (["threads=1", "-m", "blocks=1,0"], r"blocks=0: .*at least 1"),
    (["callbacks=[default,nothing]"], r"callbacks=nothing: no such option; python train\.py --help lists them"),
    (
        ["+callbacks=early_stopping"],
        r"\+callbacks=early_stopping: .*write callbacks=early_stopping, or callbacks=\[A,B\]",
    ),
    (
        ["optimizer.amsgrad=true"],
        r"optimizer\.amsgrad=[Tt]rue: no such key.*takes a plus: \+optimizer\.amsgrad=[Tt]rue",
    ),
    (["seed=" + "9" * 5000], r"seed=9{50,}\.\.\.: needs a number that 64 bits can hold"),
    (["blocks=0"], r"blocks=0: .*at least 1, e\.g\. blocks=2"),
    (["optimizer.lr=nan"], r"optimizer\.lr=nan: .*e\.g\. optimizer\.lr=0\.001"),
]
MORE = [
    *(
        ([f"+callbacks.more._target_={CALLBACKS}.{name}"], rf"callbacks\.more\._target_={CALLBACKS}\.{name}: {said}")
        for name, said in {
            "LearningRateFinder": "changes the learning rate .*-m optimizer.lr=",
            "ModelCheckpoint": "a run keeps checkpoints/best.ckpt and checkpoints/last.ckpt itself; leave it out",
            "OnExceptionCheckpoint": "a run keeps the checkpoint of its last whole epoch",
            "RichProgressBar": "a run shows its own progress",
            "TQDMProgressBar": "a run shows its own progress",
            "Timer": r".*use \+trainer\.max_time=",
            "BackboneFinetuning": "freezes parts",
            "ModelPruning": "takes the weights away",
            "SpikeDetection": "skips batches",
            "BasePredictionWriter": "has no effect",
            "ModelSummary": ".*use lightning.pytorch.callbacks.RichModelSummary",
        }.items()
    ),
    (
        [f"+callbacks.more._target_={CALLBACKS}.EMAWeightAveraging"],
        r"EMAWeightAveraging: .*use batch_norm=running, .*or model\.norm=layer",
    ),
    (
        [f"+callbacks.more._target_={CALLBACKS}.GradientAccumulationScheduler", SCHEDULING, "schedule=one_cycle"],
        r"GradientAccumulationScheduler: schedule=one_cycle .*schedule=cosine",
    ),
    (
        [
            f"+callbacks.more._target_={CALLBACKS}.GradientAccumulationScheduler",
            SCHEDULING,
            "trainer.accumulate_grad_batches=2",
        ],
        r"GradientAccumulationScheduler: fails on the first batches .*remove `accumulate_grad_batches`",
    ),
    (
        [f"+callbacks.more._target_={CALLBACKS}.LearningRateMonitor", "logger=none"],
        r"LearningRateMonitor: fails on the first batches .*no logger",
    ),
    (["+trainer.profiler=pytorch"], r"trainer\.profiler=pytorch: .*use simple or advanced"),
    (["+trainer.barebones=true"], r"trainer: cannot be built: .*barebones"),
    (["+trainer.limit_val_batches=0.0"], r"trainer\.limit_val_batches=0\.0: needs a number of batches"),
    (["+trainer.limit_test_batches=0.4"], r"trainer\.limit_test_batches=0\.4: leaves no batch; leave it out, or use"),
    (
        ["schedule._target_=torch.optim.lr_scheduler.OneCycleLR", "+schedule.max_lr=0.1", "+schedule.epochs=9", EACH],
        r"OneCycleLR: ends after 342 of the run's 380 steps; use schedule=one_cycle",
    ),
    (["schedule=plateau", "schedule.monitor=val/los"], r"schedule\.monitor=val/los: .*did you mean val/loss"),
    (["schedule=step", "+schedule.monitor=val/loss"], r"schedule\.monitor=val/loss: StepLR follows no score"),
    (["schedule=step", "+schedule.interval=batch"], r"schedule\.interval=batch: choose one of epoch, step"),
    (
        ["data=diabetes", "model=mlp", "data.test_size=1"],
        r"data=diabetes: 1 sample of the test set is used.*data\.test_size=2",
    ),
    (
        ["data=diabetes", "model=mlp", "data.validation_size=353"],
        r"data=diabetes: 1 sample of the train set is used.*samples of your own",
    ),
    (
        ["data=diabetes", "model=mlp", "data.eval_batch_size=1", "+trainer.limit_val_batches=1"],
        r"1 sample of the validation set is used.*e\.g\. trainer\.limit_val_batches=2",
    ),
    *(
        ([CUSTOM, f"activation._target_={function}"], rf"activation\._target_={function}: is a function, where a class")
        for function in ("torch.nn.functional.silu", "math.tanh")
    ),
    (["resample_split=maybe"], r"resample_split=maybe: choose true or false"),
    (["model=convv"], r"model=convv: no such option; did you mean conv\?"),
    (["init=hee"], r"init=hee: no such option; did you mean he\b"),
    (["data=digit"], r"data=digit: no such option; did you mean digits"),
    (["optimizer=adm"], r"optimizer=adm: no such option; did you mean adam"),
    (["schedule=cosin"], r"schedule=cosin: no such option; did you mean cosine"),
    (["callbacks=non"], r"callbacks=non: no such option; did you mean none"),
    (["trainer=cpuu"], r"trainer=cpuu: no such option; did you mean cpu"),
    (["logger=mlflow", "logger.mlflow.experiment=' '"], r"logger\.mlflow\.experiment= : needs a name"),
    (["logger=tensorbord"], r"logger=tensorbord: no such option; did you mean tensorboard"),
    (["experiment=mnist"], r"experiment=mnist: no such option; did you mean mnist_"),
    (["activation=zzzzzz"], r"activation=zzzzzz: no such option \(options: .*relu"),
    (["activation=5"], r"activation=5: no such option \(options: "),
    (["optimiser=sgd"], r"optimiser=sgd: no such key; did you mean optimizer"),
    (["zzzzzz=3"], r"zzzzzz=3: no such key.*--help"),
    (["model.norms=none"], r"model\.norms=none: no such key; did you mean model\.norm\b"),
    (["trainer.epochs=3"], r"trainer\.epochs=3: no such key; did you mean trainer\.max_epochs"),
    (["+block=1"], r"block=1: no such key; did you mean blocks"),
    (["+model.foo=1"], r"model\.foo=1: \S+ConvStack takes .*width"),
    (["+init.foo=1"], r"init\.foo=1: \S+Initializer takes .*scheme"),
    (["+logger.foo=1"], r"logger\.foo=1: \S+RunLogger takes folder"),
    (["schedule=step", "+schedule.foo=1"], r"schedule\.foo=1: \S+StepLR takes .*gamma"),
    (["+callbacks.gradient_norms.foo=1"], r"callbacks\.gradient_norms\.foo=1: \S+GradientNorms takes norm"),
    (["callbacks.gradient_norms=false"], r"callbacks\.gradient_norms=false: .*callbacks\.gradient_norms=null"),
    (["callbacks.gradient_norms.every_n_steps=0"], r"callbacks\.gradient_norms\.every_n_steps=0: .*at least 1"),
    (["+trainer.logger=true"], r"trainer\.logger=true: .*logger="),
    (["+trainer.enable_progress_bar=true"], r"trainer\.enable_progress_bar=true: .*leave it out"),
    *(
        (["blocks=" + bad], rf"blocks={re.escape(bad)}: .*at least 1, e\.g\. blocks=2")
        for bad in ("-1", "two", "2.5", "true", "null")
    ),
    *(
        (["width=" + bad], rf"width={re.escape(bad)}: .*at least 1, e\.g\. width=2")
        for bad in ("-1", "two", "2.5", "true", "null")
    ),
    (["model=mlp", "width=[8,0]", "blocks=2"], r"width=\[8, 0\]: .* a list with one per block, of at least 1"),
    (["model=mlp", "width=[]", "blocks=2"], r"width=\[\]: .*e\.g\. width="),
    (["model=mlp", "width=[8,true]", "blocks=2"], r"width=\[8, True\]: .* a list with one per block, of at least 1"),
    (["model=lenet5", "width=3"], r"width=3: model=lenet5 has a fixed size; leave width out"),
    (["model.width=2"], r"model\.width=2: .*width=2"),
    (["model.norm=null"], r"model\.norm=null: choose one of batch"),
    (["model.kernel_size=0"], r"model\.kernel_size=0: .*at least 1"),
    (["model.dropout=1"], r"model\.dropout=1: .*below 1"),
    (["model.dropout=nan"], r"model\.dropout=nan: needs a finite number"),
    (["model.bias=1"], r"model\.bias=1: choose true or false"),
    (["model=lenet5", "model.pooling=min"], r"model\.pooling=min: .*max, average"),
    (["init.scheme=hee"], r"init\.scheme=hee: .*he\b"),
    *(
        (["optimizer.lr=" + bad], rf"optimizer\.lr={re.escape(bad)}: .*e\.g\. optimizer\.lr=0\.001")
        for bad in ("-1", "inf", "fast", "true", "null")
    ),
    (["optimizer.weight_decay=-1"], r"optimizer\.weight_decay=-1: .*at least 0"),
    (["schedule=step", "schedule.step_size=0"], r"schedule\.step_size=0: .*at least 1"),
    *(
        (["data.batch_size=" + bad], rf"data\.batch_size={re.escape(bad)}: .*at least 1, e\.g\. data\.batch_size=32")
        for bad in ("-3", "many", "1.5", "true", "null")
    ),
    (["data.validation=first"], r"data\.validation=first: .*last, random.*test"),
    (["data.pixel_range=[1,0]"], r"data\.pixel_range=\[1.*0.*\]: "),
    (["data=npz", "model=mlp"], r"data\.path=null: .*data\.path=FILE\.npz"),
    *(
        (["trainer.max_epochs=" + bad], rf"trainer\.max_epochs={re.escape(bad)}: .*at least 1")
        for bad in ("-1", "1.5", "null")
    ),
    (["data=moons", "model=mlp", "output=softmax"], r"output=softmax: .*binary.*use output=sigmoid"),
    (["data=diabetes", "model=mlp", "output=sigmoid"], r"output=sigmoid: .*use output=linear or output=tanh"),
    (["output=relu"], r"output=relu: no loss goes with it; choose softmax, sigmoid, linear, tanh"),
    (["trainer.accelerator=abacus"], r"trainer.*abacus"),
    *(
        (["trainer.devices=" + bad], rf"trainer\.devices={re.escape(bad)}: .*trainer=ddp trainer\.devices=2")
        for bad in ("-1", "0", "auto", "null", "[]", "true")
    ),
    (["+trainer.num_nodes=2"], r"trainer\.num_nodes=2: .*one machine"),
    (["+trainer.strategy=fsdp"], r"trainer\.strategy=fsdp: use trainer=ddp"),
    (["compile=1"], r"compile=1: choose true or false"),
    (["+trainer.overfit_batches=2"], r"trainer\.overfit_batches=2: .*trainer\.limit_train_batches"),
    *(
        ([f"+trainer.{key}={bad}"], rf"trainer\.{key}={bad}: validation comes once after every epoch.*leave it out")
        for key, bads in {"val_check_interval": ("0.25", "1", "100"), "check_val_every_n_epoch": ("2", "null")}.items()
        for bad in bads
    ),
    (["precision=16"], r"precision=16: float16 .*bf16"),
    (["precision=8"], r"precision=8: choose one of 32, tf32, bf16, 64"),
    (["precision=tf32", "trainer=cpu"], r"precision=tf32: only CUDA GPUs support it; use precision=32 or"),
    (["+trainer.precision=bf16-mixed"], r"trainer\.precision=bf16-mixed: gradflow sets it; use the knob precision"),
    (["threads=0"], r"threads=0: .*at least 1"),
    (["steps_per_execution=0"], r"steps_per_execution=0: .*at least 1"),
    (["trainer.gradient_clip_val=-1"], r"trainer\.gradient_clip_val=-1: .*at least 0"),
    (["trainer.accumulate_grad_batches=0"], r"trainer\.accumulate_grad_batches=0: .*at least 1"),
    *(
        (["seed=" + bad], rf"seed={re.escape(bad)}: .*at least 0, e\.g\. seed=")
        for bad in ("one", "0.5", "true", "null")
    ),
    (["study=.."], r"study=\.\.: "),
    (["study=''"], r"study=: needs a name"),
    (["study=null"], r"study=null: needs a name"),
    (["output_dir=null"], r"output_dir=null: needs a path"),
    (["data=moons", "model=mlp", "headline=test/r2"], r"headline=test/r2: .*test/acc"),
    (
        ["model.norm=group", "headline=test/acc_running_bn"],
        r"headline=test/acc_running_bn: .*no batch normalisation; use headline=test/acc",
    ),
    (["flush_denormal=maybe"], r"flush_denormal=maybe: choose true or false"),
    (
        [CUSTOM, "activation._target_=own_activations.Missing"],
        r"activation\._target_=own_activations\.Missing: cannot be imported \(.*Missing.*\)",
    ),
    (
        [CUSTOM, "activation._target_=own_activations.Bent", "+activation.bent=1"],
        r"activation\.bent=1: own_activations\.Bent takes bend",
    ),
    ([CUSTOM, "activation._target_=builtins.len"], r"activation\._target_=builtins\.len"),
    (["blocks=range(1"], r"blocks=range\(1: "),
    (["blocks=[1"], r"blocks=\[1: "),
    (["=3"], r"=3: .*activation=relu"),
    *(
        ([f"{option}{key}={bad}"], rf"{re.escape(key)}={re.escape(bad)}: {needs}")
        for option, key, bad, needs in (
            ("", "callbacks.health_warnings.dead_fraction", "abc", r"needs a number of at least 0, e\.g\. .*=0\.2"),
            ("", "callbacks.health_warnings.dead_fraction", "2", r"needs at most 1, e\.g\. .*=0\.2"),
            ("", "callbacks.gradient_norms.norm", "maybe", "choose true or false"),
            ("", "optimizer.eps", "inf", r"needs a finite number, e\.g\. optimizer\.eps=1e-08"),
            ("", "optimizer.betas", "[0.9]", r"needs two numbers from 0 to below 1, e\.g\. .*=\[0\.9,0\.999\]"),
            ("+", "optimizer.amsgrad", "3", "choose true or false"),
            ("+", "optimizer.params", "[]", "gradflow sets it; leave it out"),
            ("+", "data.seed", "3", "gradflow sets it; use the knob seed"),
            ("", "data.batch_size", "1" + 20 * "0", r"needs at most 1,000,000,000, e\.g\. data\.batch_size=32"),
            ("", "data.eval_batch_size", "1000.0", r"needs a whole number of at least 1, e\.g\. .*size=1000$"),
            ("", "trainer.max_epochs", "10.0", r"needs a whole number of at least 1, e\.g\. trainer\.max_epochs=10$"),
            ("+", "trainer.max_steps", "0", "needs a number of updates of at least 1, or -1 for no limit"),
            ("+", "trainer.max_time", "tomorrow", r"needs days:hours:minutes:seconds, e\.g\. .*00:12:00:00"),
            ("+", "trainer.limit_train_batches", "1.5", "needs a number of batches of at least 1, or a fraction up to"),
            ("", "trainer._target_", "null", r"name a class"),
            ("", "trainer.devices", "99999", "needs at most 64"),
            ("", "headline", "3", "needs a text"),
            ("", "threads", "100000", "needs at most 1,024"),
            ("", "blocks", "99999", "needs at most 10,000"),
            ("", "width", "99999999", "needs at most 1,048,576"),
            ("", "model.kernel_size", "1001", "needs at most 511"),
            ("", "data.source._partial_", "false", "the data are read later; use true"),
            ("+", "schedule.gamma", "0.1", "null takes no arguments"),
        )
    ),
    (["activation.name=[a]"], r"activation\.name=\['a'\]: needs a name"),
    (["schedule=cosine", "schedule.eta_min=abc"], r"schedule\.eta_min=abc: needs a number of at least 0"),
    (["schedule=step", "schedule.gamma=null"], r"schedule\.gamma=null: needs a number above 0, e\.g\. schedule"),
    (["callbacks=early_stopping", "callbacks.early_stopping.patience=null"], r"\.patience=null: needs a whole number"),
    (["trainer=ddp", "trainer.strategy.timeout.minutes=-1"], r"timeout\.minutes=-1: needs a number above 0"),
    (["trainer=ddp", "trainer.strategy.timeout.minutes=1e-6"], r"minutes=1e-06: .* at least 10 seconds in all"),
    (["trainer=ddp", "~trainer.strategy.timeout.minutes"], r"strategy\.timeout: .* at least 10 seconds in all"),
    (["study=" + "s" * 300], r"study=s{50,}\.\.\.: needs at most 200 characters"),
    (["output_dir=" + "o" * 300], r"output_dir=o+\.\.\. study=digits_conv: cannot be used \(File name too long\)"),
    (["blocks=50", "width=16384"], r"width=16384 blocks=50: .* need 966 GB, and this machine has \d+; use fewer"),
    (["~model.norm"], r"model\.norm: missing; leave ~model\.norm out"),
    (["~optimizer.lr"], r"optimizer\.lr: missing; leave ~optimizer\.lr out"),
    (["study='a\x1b[31mb'"], r"study=a\\x1b\[31mb: holds a control character"),
    (["study='a\u2028b'"], r"study=a\\u2028b: holds a control character"),
    (["seed=range(0)"], r"seed=range\(0\): holds no value, so there is nothing to train; give at least one"),
    (["seed=range(100000000000)"], r"seed=range\(100000000000\): needs at most 1,000,000 runs"),
    (["seed=range(10000)", "blocks=range(1,1000)"], r"seed=range\(10000\) blocks=range\(1,1000\): needs at most"),
    (["+activation.foo=[{1:a,b:c}]"], r"activation\.foo=\[\{1: 'a', 'b': 'c'\}\]: torch\.nn\.ReLU takes inplace"),
    (["+blocks=3"], r"Either remove \+ prefix: 'blocks=3'"),
    (["~nothing"], r"Could not delete from config\. 'nothing' does not exist"),
    (["blocks=${nothing}"], r"nothing"),
    (["activation=null"], r"activation=null: no such option \(options: .*relu"),
    (["optimizer.lrr=3"], r"optimizer\.lrr=3: no such key; did you mean optimizer\.lr\b"),
    (["+optimizer.foo=1"], r"optimizer\.foo=1: torch\.optim\.Adam takes .*lr"),
    (["+data.foo=1"], r"data\.foo=1: .*leave it out"),
    (["+trainer.foo=1"], r"trainer\.foo=1: lightning\.Trainer takes .*max_epochs"),
    (["+callbacks.foo=1"], r"callbacks\.foo=1: .*callbacks\.foo=null"),
    (
        ["callbacks=early_stopping", "callbacks.early_stopping.mode=up"],
        r"callbacks\.early_stopping\.mode=up: choose one of min, max",
    ),
    (["~optimizer"], r"optimizer: .*missing"),
    (["width=[8,4,4,4]"], r"width=\[8, 4, 4, 4\]: ConvStack has one width.*width=64"),
    (["model.dropout=1.5"], r"model\.dropout=1\.5: .*below 1, e\.g\. model\.dropout=0\.1"),
    (["optimizer.betas=[2,3]"], r"optimizer\.betas=\[2, ?3\]: needs two numbers from 0"),
    (["data=npz", "data.path=missing.npz"], r"data\.path=missing\.npz: there is no such file"),
    (["+trainer.limit_train_batches=-2"], r"trainer\.limit_train_batches=-2: needs a number of batches"),
    (["study=a/b"], r"study=a/b: needs the name of one folder; .*output_dir"),
    (
        [CUSTOM, "activation._target_=no_package.Mine"],
        r"activation\._target_=no_package\.Mine: cannot be imported \(.*no_package.*\)",
    ),
    (["blocks"], r"blocks: .*key=value"),
    (["width=0"], r"width=0: .*at least 1, e\.g\. width=2"),
    (["seed=-1"], r"seed=-1: .*at least 0, e\.g\. seed="),
    (["data.batch_size=0"], r"data\.batch_size=0: .*at least 1, e\.g\. data\.batch_size=32"),
    (["trainer.max_epochs=0"], r"trainer\.max_epochs=0: .*at least 1"),
]


def assert_refused(outcome, folder, pattern):
    """One line that says what is wrong, and no trace of training."""
    assert outcome.status == 2, outcome
    assert outcome.err.startswith("gradflow: "), outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert re.search(pattern, outcome.err), outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert not list(folder.glob("outputs/**/run.json"))
    assert not list(folder.glob("outputs/**/seed=*"))


CASES = [
    *(pytest.param(*case, id=" ".join(case[0])) for case in BAD),
    *(pytest.param(*case, id=" ".join(case[0]), marks=SLOW) for case in MORE),
]


@pytest.mark.parametrize(("arguments", "pattern"), CASES)
def test_wrong_input_is_one_line_and_status_2(command, tmp_path, monkeypatch, arguments, pattern):
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda cfg, folder, **_: pytest.fail("it was trained"))
    assert_refused(command(*arguments), tmp_path, pattern)


@pytest.mark.parametrize(
    ("option", "text", "pattern"),
    [
        (
            "model=mine",
            "_target_: own_networks.Plain",
            "model=mine: has no name; add a line to its file, e.g. name: mine",
        ),
        ("data=mine", "_target_: own_data.plane", "data=mine: has no name; add"),
        (
            "module=mine",
            "_target_: own_lightning.Classifier",
            "module=mine: has no module.monitor; .* defaults: .custom.",
        ),
    ],
)
def test_an_incomplete_option_of_ones_own_says_what_its_file_lacks(command, tmp_path, option, text, pattern):
    file = tmp_path / "conf" / f"{option.replace('=', '/')}.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert_refused(command(option), tmp_path, pattern)


KNOTTED = ("activation=custom", "activation._target_=own_activations.Knotted")
UNUSUAL = [
    *(["threads=128"], ["trainer=ddp", "trainer.devices=64", "model.norm=none"], ["seed=4294967296"]),
    *(
        ["blocks=1000", "width=16"],
        ["model=mlp", "blocks=1", "width=16384"],
        ["model=mlp", "blocks=null", "width=[40,24]"],
    ),
    *(["optimizer.lr=1"], ["optimizer.lr=0"], ["optimizer.betas=[0,0.99]"], ["optimizer.weight_decay=1e-2"]),
    *(["+optimizer.amsgrad=true"], ["~optimizer.fused"], ["optimizer.fused=null"], ["optimizer.eps=1e-30"]),
    *(["data.validation_size=0.1"], ["data.test_size=250"], ["~data.validation_size"], ["data.pixel_range=[-1,1]"]),
    *(["data.batch_size=1000000"], ["data.split_seed=3"], ["+data.standardize=null"], ["data.name='two words'"]),
    *(["trainer.devices=[0]"], ["+trainer.max_time=00:00:10:00"], ["+trainer.max_time={minutes:10}"]),
    *(["+trainer.max_steps=-1"], ["+trainer.max_steps=10"], ["+trainer.limit_train_batches=1.0"]),
    *(["+trainer.limit_val_batches=0.5"], ["+trainer.fast_dev_run=true"], ["+trainer.deterministic=warn"]),
    *(["trainer.gradient_clip_val=1"], ["+trainer.min_epochs=1"], ["+trainer.benchmark=true"]),
    *(["schedule=step", "schedule.gamma=1"], ["schedule=cosine", "schedule.T_max=3"], ["logger=none"]),
    *(["callbacks=early_stopping", "+callbacks.early_stopping.min_delta=0"], ["callbacks.pictures=null"]),
    *(["callbacks=early_stopping", "callbacks.early_stopping.patience=0"], ["~callbacks.pictures"], ["callbacks=none"]),
    *(["precision='32'"], ["headline=val/acc_best"], ["activation=leaky_relu", "activation.negative_slope=-1"]),
    *(["study='Größe, (1)'"], ["output_dir='~/a b'"], ["activation=prelu", "activation.num_parameters=64"]),
    *([*KNOTTED, "+activation.knots=[0,0.5,1]"], [*KNOTTED, "+activation.table={a:1}"]),
    *([*KNOTTED, "+activation.scale=null"], [*KNOTTED, "+activation.free=[1,{a:b}]"]),
    *([*KNOTTED, "+activation.norm=batch"], [*KNOTTED, "+activation.inner={_target_:torch.nn.ReLU}"]),
]


@pytest.mark.parametrize("arguments", UNUSUAL, ids=" ".join)
def test_what_is_unusual_but_legal_is_accepted(compose, arguments):
    configuration.check(compose(*arguments))


@pytest.mark.parametrize(
    ("argument", "pattern"),
    [
        ("knots=[0,a]", r"activation\.knots=\[0, 'a'\]: needs a tuple"),
        ("kind=wavy", r"activation\.kind=wavy: choose one of soft, hard"),
        ("count=0", r"activation\.count=0: needs a whole number of at least 1, e\.g\. activation\.count=2"),
        ("count=9", r"activation\.count=9: needs at most 8"),
        ("count=true", r"activation\.count=true: needs a whole number"),
        ("table={a:b}", r"activation\.table=\{'a': 'b'\}: needs a dict"),
        ("scale=inf", r"activation\.scale=inf: needs a finite number"),
        ("free=nan", r"activation\.free=nan: needs a finite number"),
        ("free=[1,'a\x07b']", r"activation\.free=\[1, 'a\\x07b'\]: holds a control character"),
        ("inner={_target_:torch.nn.ReLU,inplace:3}", r"activation\.inner\.inplace=3: choose true or false"),
        ("inner={_target_:torch.nn.ReLUU}", r"activation\.inner\._target_=torch\.nn\.ReLUU: cannot be imported"),
    ],
)
def test_arguments_of_your_own_class_are_checked_by_its_annotations(compose, argument, pattern):
    with pytest.raises(ConfigError, match=pattern):
        configuration.check(compose(*KNOTTED, f"+activation.{argument}"))


def test_every_line_of_the_schema_can_be_checked():
    groups = [schema.Root, schema.Callback, schema.Timeout, *schema.GROUPS.values()]
    assert all(Rule(kind).checks for group in groups for kind in schema.types(group).values())


@pytest.mark.parametrize("usual", ["+trainer.val_check_interval=1.0", "+trainer.check_val_every_n_epoch=1"])
def test_validation_after_every_epoch_may_be_spelled_out(compose, usual):
    configuration.check(compose(usual))


def arrays():
    x, y = np.zeros((30, 8, 8), np.uint8), np.arange(30) % 3
    return {"x_train": x, "y_train": y, "x_test": x[:10], "y_test": y[:10]}


BAD_ARRAYS = {
    "missing keys": ({"x_test": None}, r"no x_test"),
    "lengths": ({"y_train": np.arange(29) % 3}, r"30 samples and y_train 29"),
    "shapes": ({"x_test": np.zeros((10, 9, 8), np.uint8)}, r"same type and sample shape"),
    "one-hot": ({"y_train": np.eye(3)[np.arange(30) % 3]}, r"y_train has shape \(30, 3\).*argmax"),
    "objects": ({"x_train": np.array([None] * 30)}, r"x_train holds Python objects"),
    "text": ({"y_train": np.array(["a"] * 30)}, r"y_train holds <U1, not numbers"),
    "float labels": ({"y_train": np.arange(30) / 3}, r"needs integers"),
    "negative labels": ({"y_train": np.arange(30) % 3 - 1}, r"training labels are -1 to 1; number the classes from 0"),
    "new class in the test set": ({"y_test": np.arange(10)}, r"y_test holds 3, which y_train lacks"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("changes", "pattern"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_arrays_that_cannot_be_used(command, tmp_path, changes, pattern):
    content = {key: value for key, value in (arrays() | changes).items() if value is not None}
    np.savez(tmp_path / "own.npz", **content)
    assert_refused(command("data=npz", "data.path=own.npz"), tmp_path, rf"data\.path=own\.npz: .*{pattern}")


@pytest.mark.parametrize(
    ("lacks", "pattern"), [("compiler", r"a C\+\+ compiler, .*no absent-compiler"), ("headers", "Python's headers")]
)
def test_compilation_where_nothing_compiles(command, tmp_path, monkeypatch, lacks, pattern):
    if lacks == "compiler":
        monkeypatch.setenv("CXX", "absent-compiler")
    else:
        monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    assert_refused(command("compile=true"), tmp_path, rf"compile=true: needs {pattern}.*use compile=false")


@pytest.mark.parametrize("option", ["mnist", *(pytest.param(one, marks=SLOW) for one in ("fashion_mnist", "cifar10"))])
def test_data_that_cannot_be_downloaded(command, tmp_path, monkeypatch, option):
    def unreachable(*_arguments, download, **_options):
        raise URLError("no route\nto host") if download else RuntimeError("not found")

    for name in ("MNIST", "FashionMNIST", "CIFAR10"):
        monkeypatch.setattr(torchvision.datasets, name, unreachable)
    outcome = command(f"data={option}")
    assert_refused(outcome, tmp_path, rf"data={option}: cannot read or download it .*no route to host.*data_dir=DIR")


def test_an_output_folder_that_cannot_be_written(command, tmp_path):
    (tmp_path / "file").touch()
    assert_refused(command("output_dir=file"), tmp_path, r"output_dir=file: cannot write .*choose another output_dir")
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "digits_conv").touch()
    assert_refused(command(), tmp_path, r"output_dir=outputs: cannot write to outputs/digits_conv")


@pytest.mark.parametrize(
    "bad",
    [
        "blocks=1,2,0",
        pytest.param("activation=relu,sigmod", marks=SLOW),
        pytest.param("optimizer.lr=0.1,-1", marks=SLOW),
        pytest.param("model=conv,lenet5", marks=SLOW),
    ],
)
def test_one_bad_combination_stops_the_sweep_before_anything_is_trained(command, tmp_path, tiny, bad):
    assert_refused(command("-m", bad, *tiny), tmp_path, r"sigmod|blocks=0|lr=-1|width=4: model=lenet5")


def test_resampling_a_split_of_which_nothing_is_drawn(command, tmp_path):
    y = np.arange(40) % 2
    np.savez(tmp_path / "own.npz", x_train=np.eye(40), y_train=y, x_test=np.eye(40)[:10], y_test=y[:10])
    refused = command("data=npz", "data.path=own.npz", "data.validation=last", "model=mlp", "resample_split=true")
    pattern = r"resample_split=true: has no effect.*use resample_split=false or data\.validation=random"
    assert_refused(refused, tmp_path, pattern)
