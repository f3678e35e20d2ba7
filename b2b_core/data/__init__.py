"""Pictures in: folders become picture sets, scenes are split, crops are drawn."""
