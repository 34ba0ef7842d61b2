/** Amazon's own client of SageMaker's MLflow, with the MLflow that its newest apps were seen to run. */
export const pluginPins: readonly string[] = ['sagemaker-mlflow==0.5.0', 'mlflow-skinny==3.10.1'];
