//! The log of a server, on the standard error; and with the feature `opentelemetry`, its spans sent
//! to a collector.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use super::args::LogForm;

/// Starts the log, of which there is one for the process; what is given ends it.
pub(super) fn start(form: LogForm, level: Level) -> anyhow::Result<impl Drop> {
    let (exported, spans) = spans::layer()?;
    tracing_subscriber::registry()
        .with(written(form).with_filter(LevelFilter::from(level)))
        .with(exported)
        .init();
    Ok(spans)
}

/// What is written on the standard error.
fn written(form: LogForm) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = fmt::layer().with_writer(std::io::stderr);
    match form {
        LogForm::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
        LogForm::Pretty => {
            let is_terminal = std::io::stderr().is_terminal();
            lines.with_ansi(is_terminal && std::env::var_os("NO_COLOR").is_none()).boxed()
        }
    }
}

#[cfg(not(feature = "opentelemetry"))]
mod spans {
    use tracing_subscriber::layer::Identity;

    pub(super) struct Spans;

    impl Drop for Spans {
        fn drop(&mut self) {}
    }

    pub(super) fn layer() -> anyhow::Result<(Identity, Spans)> {
        Ok((Identity::new(), Spans))
    }
}

#[cfg(feature = "opentelemetry")]
mod spans {
    use anyhow::Context as _;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::SpanExporter;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Subscriber;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::registry::LookupSpan;

    /// What sends spans in batches, from a thread of its own.
    pub(super) struct Spans(SdkTracerProvider);

    impl Drop for Spans {
        fn drop(&mut self) {
            if let Err(error) = self.0.shutdown() {
                tracing::warn!(%error, "the last spans were not sent");
            }
        }
    }

    /// Where they go is said by the variables that OpenTelemetry names, such as
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(super) fn layer<S: Subscriber + for<'s> LookupSpan<'s>>()
    -> anyhow::Result<(impl Layer<S>, Spans)> {
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.context("no spans can be sent: see the variables OTEL_*")?;
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let resource = Resource::builder();
        let resource = if named { resource } else { resource.with_service_name("getcases") };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("getcases"));
        Ok((layer.with_filter(LevelFilter::INFO), Spans(provider)))
    }
}
