//! What happened in each sample run: its curves, its log, its configuration.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::local;

/// One sample run.
pub(super) struct Story {
    pub(super) path: &'static str,
    pub(super) alias: &'static str,
    pub(super) tags: &'static [&'static str],
    pub(super) status: &'static str,
    pub(super) hours_ago: f64,
    pub(super) steps: u64,
    pub(super) step_secs: f64,
    pub(super) image_steps: &'static [u64],
    pub(super) config: fn() -> Value,
    curves: Curves,
    /// The metric that counts, and whether more is better.
    best: (&'static str, bool),
}

/// One line of metrics.
pub(super) struct Record {
    pub(super) step: u64,
    pub(super) values: Map<String, Value>,
}

/// How the numbers of a run come about.
#[derive(Clone, Copy)]
enum Curves {
    /// Classification: final loss, final accuracy, speed of learning; diverges at the end if asked.
    Classify {
        loss: f64,
        accuracy: f64,
        speed: f64,
        diverges: bool,
    },
    /// A language model: loss and perplexity with warm-up.
    Language { loss: f64, speed: f64 },
    /// Rewards that come in jumps.
    Reward { top: f64, speed: f64 },
}

/// All of them, oldest first.
pub(super) const STORIES: [Story; 7] = [
    Story {
        path: "cv/cifar10",
        alias: "resnet18 baseline",
        tags: &["baseline", "keep"],
        status: "finished",
        hours_ago: 70.0,
        steps: 390,
        step_secs: 9.0,
        image_steps: &[1, 130, 260, 390],
        config: || json!({"model": "resnet18", "optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "batch_size": 128, "schedule": "step", "epochs": 30, "amp": false, "seed": 1}),
        curves: Curves::Classify {
            loss: 0.24,
            accuracy: 0.932,
            speed: 3.2,
            diverges: false,
        },
        best: ("val/accuracy", true),
    },
    Story {
        path: "cv/cifar10",
        alias: "resnet18 cosine + amp",
        tags: &["cosine"],
        status: "finished",
        hours_ago: 46.0,
        steps: 390,
        step_secs: 5.5,
        image_steps: &[1, 195, 390],
        config: || json!({"model": "resnet18", "optimizer": "sgd", "lr": 0.2, "momentum": 0.9, "batch_size": 256, "schedule": "cosine", "epochs": 30, "amp": true, "seed": 1}),
        curves: Curves::Classify {
            loss: 0.17,
            accuracy: 0.951,
            speed: 2.4,
            diverges: false,
        },
        best: ("val/accuracy", true),
    },
    Story {
        path: "cv/cifar10",
        alias: "vit-tiny, lr too high",
        tags: &["vit"],
        status: "failed",
        hours_ago: 44.0,
        steps: 180,
        step_secs: 7.0,
        image_steps: &[],
        config: || json!({"model": "vit_tiny", "optimizer": "adamw", "lr": 0.01, "batch_size": 256, "schedule": "cosine", "epochs": 30, "amp": true, "seed": 1}),
        curves: Curves::Classify {
            loss: 0.9,
            accuracy: 0.55,
            speed: 1.8,
            diverges: true,
        },
        best: ("val/accuracy", true),
    },
    Story {
        path: "nlp/gpt2-small/finetune",
        alias: "gpt2 on recipes",
        tags: &["keep"],
        status: "finished",
        hours_ago: 26.0,
        steps: 1200,
        step_secs: 4.0,
        image_steps: &[],
        config: || json!({"model": "gpt2", "optimizer": {"name": "adamw", "betas": [0.9, 0.95]}, "lr": 3e-4, "warmup": 100, "batch_size": 32, "context": 1024, "bf16": true}),
        curves: Curves::Language {
            loss: 2.31,
            speed: 2.6,
        },
        best: ("val/loss", false),
    },
    Story {
        path: "nlp/gpt2-small/finetune",
        alias: "gpt2 on recipes, long context",
        tags: &[],
        status: "interrupted",
        hours_ago: 20.0,
        steps: 640,
        step_secs: 8.0,
        image_steps: &[],
        config: || json!({"model": "gpt2", "optimizer": {"name": "adamw", "betas": [0.9, 0.95]}, "lr": 2e-4, "warmup": 100, "batch_size": 16, "context": 2048, "bf16": true}),
        curves: Curves::Language {
            loss: 2.12,
            speed: 1.9,
        },
        best: ("val/loss", false),
    },
    Story {
        path: "rl/lunar-lander",
        alias: "ppo seed 0",
        tags: &["ppo"],
        status: "finished",
        hours_ago: 5.0,
        steps: 500,
        step_secs: 2.0,
        image_steps: &[],
        config: || json!({"algorithm": "ppo", "lr": 2.5e-4, "gamma": 0.999, "clip": 0.2, "envs": 16, "seed": 0}),
        curves: Curves::Reward {
            top: 245.0,
            speed: 6.0,
        },
        best: ("episode/reward", true),
    },
    Story {
        path: "rl/lunar-lander",
        alias: "ppo seed 1",
        tags: &["ppo"],
        status: "finished",
        hours_ago: 3.0,
        steps: 500,
        step_secs: 2.0,
        image_steps: &[],
        config: || json!({"algorithm": "ppo", "lr": 2.5e-4, "gamma": 0.999, "clip": 0.2, "envs": 16, "seed": 1}),
        curves: Curves::Reward {
            top: 262.0,
            speed: 4.5,
        },
        best: ("episode/reward", true),
    },
];

/// Numbers that look random and are the same each time.
struct Noise(u64);

impl Noise {
    /// Between -1 and 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

fn rounded(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6)
}

impl Story {
    /// The metrics, in order.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut noise = Noise(xxhash_rust::xxh3::xxh3_64(self.alias.as_bytes()) | 1);
        (1..=self.steps)
            .map(|step| {
                let part = step as f64 / self.steps as f64;
                let mut values = Map::new();
                self.curves.fill(&mut values, step, part, &mut noise);
                Record { step, values }
            })
            .collect()
    }

    /// The summary the SDK would write: the best value of the metric that counts.
    pub(super) fn best(&self, records: &[Record]) -> Option<Value> {
        let (name, more) = self.best;
        let values = records
            .iter()
            .filter_map(|record| Some((record.step, record.values.get(name)?.as_f64()?)));
        let better = |a: &(u64, f64), b: &(u64, f64)| {
            if more {
                a.1.total_cmp(&b.1)
            } else {
                b.1.total_cmp(&a.1)
            }
        };
        let (step, value) = values.max_by(better)?;
        let mode = if more { "max" } else { "min" };
        Some(
            json!({"best_metric_value": value, "best_metric_name": name, "best_metric_step": step, "best_metric_mode": mode}),
        )
    }

    /// What the program printed.
    pub(super) fn logs(&self, records: &[Record], started: f64) -> String {
        let mut log = String::new();
        let clock = |step: u64| {
            local(started + step as f64 * self.step_secs)
                .strftime("%H:%M:%S")
                .to_string()
        };
        let mut say = |step: u64, text: &str| {
            // Writing into memory cannot fail.
            writeln!(log, "[{}] {text}", clock(step)).unwrap_or_default();
        };
        say(0, "\u{1b}[1mloading data\u{1b}[0m");
        say(0, &format!("config: {}", (self.config)()));
        let every = (self.steps / 60).max(1);
        for record in records
            .iter()
            .filter(|record| record.step.is_multiple_of(every))
        {
            let mut line = format!("\u{1b}[36mstep {:>5}/{}\u{1b}[0m", record.step, self.steps);
            for (name, value) in record.values.iter().take(3) {
                write!(line, "  {name} {value}").unwrap_or_default();
            }
            say(
                record.step,
                &line.replace("\"<nan>\"", "\u{1b}[33mnan\u{1b}[0m"),
            );
        }
        match self.status {
            "failed" => {
                for line in [
                    "\u{1b}[33mWARNING\u{1b}[0m loss is nan",
                    "\u{1b}[31mTraceback (most recent call last):",
                    "  File \"train.py\", line 214, in <module>",
                    "    main(config)",
                    "FloatingPointError: loss became NaN; lower the learning rate\u{1b}[0m",
                ] {
                    say(self.steps, line);
                }
            }
            "interrupted" => say(
                self.steps,
                "\u{1b}[33mKeyboardInterrupt: stopping after this step\u{1b}[0m",
            ),
            _ => say(
                self.steps,
                "\u{1b}[32mdone\u{1b}[0m, checkpoint saved to checkpoints/last.pt",
            ),
        }
        log
    }
}

impl Curves {
    fn fill(self, values: &mut Map<String, Value>, step: u64, part: f64, noise: &mut Noise) {
        let mut put = |name: &str, value: f64| {
            values.insert(name.to_owned(), rounded(value));
        };
        match self {
            Self::Classify {
                loss,
                accuracy,
                speed,
                diverges,
            } => {
                let learnt = 1.0 - (-speed * part).exp();
                let spike = if diverges && part > 0.7 {
                    (part - 0.7) * 22.0
                } else {
                    0.0
                };
                put(
                    "train/loss",
                    loss + (2.3 - loss) * (1.0 - learnt)
                        + spike
                        + 0.06 * noise.next() * (1.2 - part),
                );
                put(
                    "train/accuracy",
                    (0.1 + (accuracy + 0.03 - 0.1) * learnt - spike * 0.08 + 0.012 * noise.next())
                        .clamp(0.1, 1.0),
                );
                put(
                    "lr",
                    0.1 * (1.0 + (part * std::f64::consts::PI).cos()) / 2.0,
                );
                put("gpu/memory_gib", 9.4 + 0.05 * noise.next());
                if step.is_multiple_of(13) {
                    put(
                        "val/loss",
                        loss * 1.25 + (2.3 - loss) * (1.0 - learnt) + spike + 0.03 * noise.next(),
                    );
                    put(
                        "val/accuracy",
                        (0.1 + (accuracy - 0.1) * learnt - spike * 0.1 + 0.006 * noise.next())
                            .clamp(0.1, 1.0),
                    );
                }
                if diverges && part > 0.97 {
                    values.insert("train/loss".to_owned(), "<nan>".into());
                }
            }
            Self::Language { loss, speed } => {
                let learnt = 1.0 - (-speed * part).exp();
                let now = loss + (4.6 - loss) * (1.0 - learnt) + 0.05 * noise.next();
                put("train/loss", now);
                put("train/perplexity", now.exp());
                put(
                    "train/grad_norm",
                    0.6 + 1.4 * (1.0 - learnt) + 0.2 * noise.next(),
                );
                put("lr", 3e-4 * (part * 12.0).min(1.0) * (1.0 - 0.9 * part));
                put("tokens", step as f64 * 32_768.0);
                if step.is_multiple_of(40) {
                    put("val/loss", now + 0.09 + 0.02 * noise.next());
                }
            }
            Self::Reward { top, speed } => {
                let learnt = 1.0 / (1.0 + (-(part - 0.4) * speed * 2.0).exp());
                put(
                    "episode/reward",
                    -200.0 + (top + 200.0) * learnt + 38.0 * noise.next() * (1.1 - part),
                );
                put(
                    "episode/length",
                    90.0 + 210.0 * learnt + 30.0 * noise.next(),
                );
                put(
                    "policy/entropy",
                    1.38 * (1.0 - 0.75 * learnt) + 0.02 * noise.next(),
                );
                put("policy/kl", 0.012 + 0.006 * noise.next());
                put(
                    "value/loss",
                    40.0 * (1.0 - learnt) + 6.0 + 4.0 * noise.next(),
                );
            }
        }
    }
}
